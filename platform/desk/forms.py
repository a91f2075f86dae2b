"""What the pages of the desk send."""

from django import forms

from desk.models import Category, ReviewerSettings, ReviewItem, Verdict
from desk.retouching import BadRegion, Region


class ChoiceForm(forms.Form):
    """A verdict, and why."""

    verdict = forms.ChoiceField(choices=Verdict.choices)
    explanation = forms.CharField(
        max_length=2000, error_messages={"required": "Say why: the reason is empty."}
    )

    shown = forms.UUIDField(
        required=False,
        error_messages={"invalid": "What you were shown is not told: load the page again."},
    )
    prompt = forms.CharField(max_length=2000, required=False)
    region = forms.CharField(max_length=200, required=False)
    likewise = forms.ModelMultipleChoiceField(ReviewItem.objects.all(), required=False)

    def clean_region(self) -> Region | None:
        """`left,top,right,bottom` as shares of the picture."""
        text = self.cleaned_data["region"]
        if not text:
            return None
        try:
            return Region(*(float(part) for part in text.split(",")))
        except (TypeError, ValueError) as error:
            told = str(error) if isinstance(error, BadRegion) else "The region is four numbers."
            raise forms.ValidationError(told) from error

    def typed(self) -> dict[str, str]:
        """What was written by hand, for the page that asks again."""
        return {name: self.data.get(name, "") for name in ("explanation", "prompt")}

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
