"""The forms of moderators."""

from typing import TYPE_CHECKING, Any

from django import forms

if TYPE_CHECKING:
    Textarea = forms.Textarea
else:
    from unfold.widgets import UnfoldAdminTextareaWidget as Textarea


class VerdictForm(forms.Form):
    """Let pass or block, and why."""

    PASS, BLOCK = "pass", "block"

    verdict = forms.ChoiceField(choices=[(PASS, "pass"), (BLOCK, "block")])
    explanation = forms.CharField(
        max_length=2000,
        widget=Textarea(
            attrs={
                "rows": 3,
                "placeholder": "Why? It goes into the record.",
                "x-model": "why",
                "maxlength": 2000,
            }
        ),
        error_messages={"required": "Say why: the explanation is empty."},
    )

    @property
    def lets_pass(self) -> bool:
        return bool(self.cleaned_data["verdict"] == self.PASS)

    @property
    def problem(self) -> str:
        """The first thing that is wrong, in words."""
        return f"{next(iter(self.errors.values()))[0]} Nothing was changed."

    def decision(self, name: str) -> dict[str, Any]:
        """The arguments of `moderation.review`, which calls passing `release` or `approve`."""
        return {name: self.lets_pass, "explanation": self.cleaned_data["explanation"]}
