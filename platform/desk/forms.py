"""What the pages of the desk send."""

from django import forms

from desk.models import Category, ReviewerSettings, Verdict


class ChoiceForm(forms.Form):
    """A verdict, and why."""

    verdict = forms.ChoiceField(choices=Verdict.choices)
    explanation = forms.CharField(
        max_length=2000, error_messages={"required": "Say why: the reason is empty."}
    )

    @property
    def problem(self) -> str:
        """The first thing that is wrong, in words."""
        return f"{next(iter(self.errors.values()))[0]} Nothing was changed."


class SettingsForm(forms.ModelForm):  # type: ignore[type-arg]
    """A person's own settings."""

    left_out = forms.MultipleChoiceField(
        choices=Category.choices, required=False, widget=forms.CheckboxSelectMultiple
    )

    class Meta:
        model = ReviewerSettings
        fields = ("left_out", "colours")
