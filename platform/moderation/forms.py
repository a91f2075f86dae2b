"""The forms of moderators."""

import json
from typing import TYPE_CHECKING, Any

from django import forms
from django.forms.fields import InvalidJSONInput
from pydantic import ValidationError

from ethical_lens.policy import Policy as PolicyDocument
from moderation.models import Policy, PolicyVersion

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


class _IndentedJSONField(forms.JSONField):
    def prepare_value(self, value: Any) -> Any:
        if isinstance(value, InvalidJSONInput):
            return value
        text = json.dumps(value, ensure_ascii=False, indent=2)
        return text.encode(errors="backslashreplace").decode()  # half a surrogate pair is no text


class PolicyVersionForm(forms.ModelForm):  # type: ignore[type-arg]
    """A new version: a document that the method accepts, or a list of what it does not."""

    document = _IndentedJSONField(
        widget=Textarea(attrs={"rows": 32, "class": "desk-code", "spellcheck": "false"}),
        help_text="Thresholds run from 0 to 1; 1.01 is out of any score's reach.",
    )

    class Meta:
        model = PolicyVersion
        fields = ("policy", "document")

    def clean_document(self) -> dict[str, Any]:
        document = self.cleaned_data["document"]
        try:
            text = json.dumps(document, ensure_ascii=False, allow_nan=False)
            text.encode()
        except ValueError as error:  # NaN, or half a surrogate pair
            raise forms.ValidationError(f"This cannot be stored: {error}.") from None
        if "\\u0000" in text:
            raise forms.ValidationError("This cannot be stored: it holds a null character.")
        try:
            accepted: dict[str, Any] = PolicyDocument.model_validate(document).model_dump(
                mode="json"
            )
        except ValidationError as error:
            raise forms.ValidationError(
                [
                    f"{'.'.join(str(part) for part in problem['loc']) or 'document'}: "
                    f"{problem['msg']}"
                    for problem in error.errors(include_url=False, include_context=False)
                ]
            ) from None
        return accepted


def newest_document(policy: Policy | None) -> dict[str, Any]:
    """What a new version starts from: the policy's last one, or the published constants."""
    last = policy.versions.order_by("-number").first() if policy else None
    if last is not None:
        document: dict[str, Any] = last.document
        return document
    return PolicyDocument().model_dump(mode="json")
