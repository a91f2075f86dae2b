"""The forms of those who write and hand out policies."""

import json
from typing import TYPE_CHECKING, Any

from django import forms
from django.forms.fields import InvalidJSONInput
from django.utils import timezone

from accounts.models import Tenant
from moderation.models import PolicyVersion
from policies.documents import DocumentRefused, document_read, newest_document
from policies.models import PolicyAssignment, PolicyDraft
from policies.parts import PARTS, field_of, values_of, written

if TYPE_CHECKING:
    Select = forms.Select
    Textarea = forms.Textarea
else:
    from unfold.widgets import UnfoldAdminSelectWidget as Select
    from unfold.widgets import UnfoldAdminTextareaWidget as Textarea


NEWEST = 50
"""Versions and drafts that can be chosen from."""


class _IndentedJSONField(forms.JSONField):
    def bound_data(self, data: Any, initial: Any) -> Any:
        """What was typed, letter by letter."""
        return data if data is None else InvalidJSONInput(data)

    def prepare_value(self, value: Any) -> Any:
        if isinstance(value, InvalidJSONInput):
            return value
        text = json.dumps(value, ensure_ascii=False, indent=2)
        return text.encode(errors="backslashreplace").decode()  # half a surrogate pair is no text


class DraftForm(forms.ModelForm):  # type: ignore[type-arg]
    """A draft: a document that the method accepts, or what it does not, field by field.

    It is written in the fields of `policies.parts`, which go over the document as it was, or whole
    as JSON.
    """

    written_as = forms.ChoiceField(
        label="Written",
        choices=[("fields", "in the fields below"), ("json", "as JSON, below")],
        required=False,
        initial="fields",
        widget=Select,
        help_text="Thresholds run from 0 to 1; 1.01 is out of any score's reach. An empty field "
        "means the default.",
    )
    document = _IndentedJSONField(
        label="JSON",
        widget=Textarea(attrs={"rows": 32, "class": "desk-code", "spellcheck": "false"}),
        help_text="Pools, scopes and blur are written here alone. What is left out means the "
        "default. The fields stand in docs/policies.md.",
    )

    class Meta:
        model = PolicyDraft
        fields = ("policy", "note", "document")

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields.update({part.name: part.field() for part in PARTS})
        before = self.get_initial_for_field(self.fields["document"], "document")
        self.initial = {**values_of(before or {}), **self.initial}

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if "document" not in cleaned:
            return cleaned
        in_fields = cleaned.get("written_as") == "fields"
        document = cleaned["document"]
        if in_fields and isinstance(document, dict):
            if any(part.name in self.errors for part in PARTS):
                return cleaned
            for part in self._only_in_json(document, cleaned):
                self.add_error(
                    part,
                    "This was changed in the JSON, and the field would go over it: change it here, "
                    "or choose above that the draft is written as JSON.",
                )
            document = written(document, cleaned)
        try:
            cleaned["document"] = document_read(document).model_dump(mode="json")
        except DocumentRefused as refused:
            for problem in refused.problems:
                named = field_of(problem) if in_fields else "document"
                self.add_error(named, problem)
        return cleaned

    def _only_in_json(self, document: dict[str, Any], cleaned: dict[str, Any]) -> list[str]:
        """The fields of what was edited in the JSON, and neither so nor to the same in its
        field."""
        before = self.initial.get("document") or newest_document(cleaned.get("policy"))
        old, typed = values_of(before), values_of(document)
        return [
            name
            for name, value in typed.items()
            if not _same(value, old[name]) and not _same(value, cleaned.get(name))
        ]


def _same(one: Any, other: Any) -> bool:
    """Nothing is the same as nothing, and names are the same in any order of a set."""
    if isinstance(one, list) and isinstance(other, list):
        return one == other or sorted(map(str, one)) == sorted(map(str, other))
    return (one or None) == (other or None)


class AssignmentForm(forms.ModelForm):  # type: ignore[type-arg]
    """Which version a tenant gets, and when."""

    class Meta:
        model = PolicyAssignment
        fields = ("tenant", "policy_version", "starts_at")

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        if "starts_at" in self.fields:
            self.fields["starts_at"].required = False
            self.fields["starts_at"].help_text = "UTC. Empty: at once."

    def clean_starts_at(self) -> Any:
        starts_at = self.cleaned_data["starts_at"]
        if starts_at is not None and starts_at < timezone.now():
            raise forms.ValidationError("That moment is over: leave it empty for at once.")
        return starts_at


class WhatIfForm(forms.Form):
    """Which policy, over how many days, of whom. The newest versions and drafts can be chosen, and
    the one that is asked for."""

    policy = forms.UUIDField(
        label="Version or draft",
        widget=Select,
        error_messages={
            "required": "Choose a version or a draft.",
            "invalid": "Choose a version or a draft of the list.",
        },
    )
    days = forms.IntegerField(
        label="Jobs of the last days",
        min_value=1,
        max_value=365,
        initial=7,
        widget=forms.NumberInput(attrs={"class": "desk-input"}),
        error_messages={
            "min_value": "days: at least one day is needed.",
            "max_value": "days: at most 365 days are looked back.",
        },
    )
    tenant = forms.ModelChoiceField(
        Tenant.objects.order_by("name"), label="Of", required=False, empty_label="all tenants",
        widget=Select,
    )  # fmt: skip

    def __init__(
        self, *args: Any, asked: PolicyVersion | PolicyDraft | None = None, **options: Any
    ) -> None:
        super().__init__(*args, **options)
        versions = PolicyVersion.objects.select_related("policy").order_by("-id")[:NEWEST]
        drafts = PolicyDraft.objects.filter(published_as=None).select_related("policy")
        named: list[tuple[str, list[PolicyVersion | PolicyDraft]]] = [
            ("Drafts", list(drafts.order_by("-id")[:NEWEST])),
            ("Versions", list(versions)),
        ]
        if asked is not None and not any(asked in of for _, of in named):
            named.insert(0, ("Asked for", [asked]))
        self.fields["policy"].widget.choices = [
            ("", "choose"),
            *((title, [(str(one.pk), str(one)) for one in of]) for title, of in named if of),
        ]


class DifferenceForm(forms.Form):
    """Two versions or drafts."""

    before = forms.UUIDField()
    after = forms.UUIDField()


class ShadowForm(forms.Form):
    """Whose traffic a draft judges without acting."""

    tenant = forms.ModelChoiceField(
        Tenant.objects.order_by("name"), required=False, empty_label="all tenants", widget=Select
    )


def versions_before(version: PolicyVersion) -> Any:
    """The versions of the same policy with lower numbers, the nearest first."""
    return version.policy.versions.filter(number__lt=version.number).order_by("-number")
