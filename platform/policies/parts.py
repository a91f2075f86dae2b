"""The parts of a policy's document that have a field of their own in the form of a draft: where
each stands in the document, and how it is written. The rest (pools, scopes, blur) is written as
JSON. A row has two fields at most, which is what fits."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from django import forms

from ethical_lens.policy import OUT_OF_REACH, AlignerFailure, HeadAction
from ethical_lens.results import Attribute, Concept, Factor, Label, TextAction
from policies.documents import ALIGNERS

if TYPE_CHECKING:
    Number = forms.NumberInput
    Select = forms.Select
    Switch = forms.CheckboxInput
    Text = forms.TextInput
    Ticks = forms.CheckboxSelectMultiple
else:
    from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget as Ticks
    from unfold.widgets import UnfoldAdminIntegerFieldWidget as Number
    from unfold.widgets import UnfoldAdminSelectWidget as Select
    from unfold.widgets import UnfoldAdminTextInputWidget as Text
    from unfold.widgets import UnfoldBooleanSwitchWidget as Switch


class NamesField(forms.CharField):
    """Names in their order, with commas between them."""

    widget = Text

    def prepare_value(self, value: Any) -> Any:
        return value if value is None or isinstance(value, str) else ", ".join(value)

    def to_python(self, value: Any) -> Any:
        return [
            name for part in (super().to_python(value) or "").split(",") if (name := part.strip())
        ]


class SharesField(forms.CharField):
    """Whole percents by value: `female 60, male 40`."""

    widget = Text

    def prepare_value(self, value: Any) -> Any:
        if value is None or isinstance(value, str):
            return value
        return ", ".join(f"{name} {share}" for name, share in value.items())

    def to_python(self, value: Any) -> Any:
        shares = {}
        for part in filter(
            None, (part.strip() for part in (super().to_python(value) or "").split(","))
        ):
            name, _, share = part.rstrip("% ").rpartition(" ")
            if not name or not share.isdecimal():
                raise forms.ValidationError(
                    f"{part!r} is no share: write a value and its percent, as in female 60, male 40"
                )
            shares[name.strip()] = int(share)
        return shares


@dataclass(frozen=True)
class Part:
    """A field of the form, and its place in the document. `drops`: an empty field is left out of
    the document, which means the default."""

    place: tuple[str, ...]
    field: Callable[[], forms.Field]
    drops: bool = True

    @property
    def name(self) -> str:
        """The name of the field."""
        return "__".join(self.place)


def _number(label: str, *, whole: bool = False, most: float | None = None, help: str = "") -> Any:
    kind: Any = forms.IntegerField if whole else forms.FloatField
    attributes = {} if whole else {"step": "0.01"}
    return lambda: kind(
        label=label, required=False, min_value=0, max_value=most, help_text=help,
        widget=Number(attrs=attributes),
    )  # fmt: skip


def _choice(label: str, of: Sequence[str], empty: str = "", help: str = "") -> Any:
    choices = [*([("", empty)] if empty else []), *((str(one), str(one)) for one in of)]
    return lambda: forms.ChoiceField(
        label=label, choices=choices, required=False, help_text=help, widget=Select
    )


def _head(concept: Concept) -> tuple[Part, ...]:
    at = ("concepts", concept.value)
    return (
        Part((*at, "threshold"), _number(f"{concept.value}: threshold", most=OUT_OF_REACH)),
        Part((*at, "action"), _choice("action", list(HeadAction), "as its scope says")),
    )


def _label(label: Label) -> Part:
    rewritten = label in {Label.K1, Label.K2}
    can = [
        one
        for one in TextAction
        if (rewritten or one is not TextAction.REWRITE)
        and (label is not Label.K3 or one is not TextAction.ALLOW)
    ]
    return Part(("labels", label.value), _choice(label.value, can, "as published"))


def _factor(factor: Factor) -> tuple[Part, ...]:
    at = ("factors", factor.value)
    words = factor.name.lower().replace("_", " ")
    return (
        Part(
            (*at, "threshold"), _number(f"{factor.value} {words}: threshold", most=OUT_OF_REACH)
        ),
        Part((*at, "action"), _choice("action", list(TextAction), "as the label says")),
    )  # fmt: skip


def _limit(name: str) -> Part:
    unit = {"side": " in pixels", "prompt": " in characters"}.get(name, "")
    return Part(("limits", name), _number(f"{name}{unit}", whole=True))


def _names(label: str, help: str) -> Any:
    return lambda: NamesField(label=label, required=False, help_text=help)


def _shares(attribute: Attribute) -> Any:
    help = "Percents by value, as in value 60, other 40. Empty: even."
    return lambda: SharesField(label=f"{attribute.value}: target", required=False, help_text=help)


def _diversified() -> forms.Field:
    return forms.MultipleChoiceField(
        label="Attributes that are drawn", choices=[(one.value, one.value) for one in Attribute],
        required=False, widget=Ticks,
    )  # fmt: skip


def _edits_faces() -> forms.Field:
    return forms.BooleanField(
        label="Faces that are not as drawn are painted anew", required=False, widget=Switch
    )


Row = Part | tuple[Part, ...]
GROUPS: Final[Mapping[str, Sequence[Row]]] = {
    "Heads, by threshold and action": [_head(concept) for concept in Concept],
    "Prompts, by label": [
        (_label(Label.K0), _label(Label.K1)),
        (_label(Label.K2), _label(Label.K3)),
        _label(Label.A1),
    ],
    "Prompts, by factor": [_factor(factor) for factor in Factor],
    "Fairness": [
        *(Part(("targets", one.value), _shares(one)) for one in Attribute),
        Part(("diversify",), _diversified, drops=False),
        Part(("left_alone",), _names("Left alone", "Kinds of people, as king, queen.")),
        Part(("edit_faces",), _edits_faces),
    ],
    "Aligners and models": [
        Part(("aligners",), _names("Aligners", f"Asked in this order. Of {', '.join(ALIGNERS)}.")),
        *(
            Part(
                ("when_aligner_fails", name),
                _choice(f"Where {name} fails", list(AlignerFailure), "next, then a person"),
            )
            for name in ALIGNERS
        ),
        (
            Part(("models",), _names("Models", "That jobs may use. Empty: all.")),
            Part(("loras",), _names("LoRA weights", "Empty: none.")),
        ),
    ],
    "Limits of a job": [
        (_limit("pictures"), _limit("side")),
        (_limit("steps"), _limit("prompt")),
        Part(("rounds",), _number("rounds", whole=True, help="2: painted once more.")),
    ],
    "Review and retention": [
        (
            Part(("review_rate",), _number("Share looked at after release", most=1)),
            Part(("review_band",), _number("Band below thresholds", most=0.5)),
            Part(("review_band_above",), _number("Band above thresholds", most=0.5)),
        ),
        Part(
            ("retention_days",),
            _number("Days pictures and prompts are kept, released ones too", whole=True,
                help="Empty: for ever.",),
        ),
    ],
}  # fmt: skip
"""Titles with rows of parts, as the form shows them."""

PARTS: Final = tuple(
    part
    for rows in GROUPS.values()
    for row in rows
    for part in (row if isinstance(row, tuple) else (row,))
)


def fieldsets() -> Iterator[tuple[str, dict[str, Any]]]:
    """The groups as Django's admin wants them."""
    for title, rows in GROUPS.items():
        named = [
            tuple(part.name for part in row) if isinstance(row, tuple) else row.name for row in rows
        ]
        yield title, {"fields": named}


def values_of(document: Mapping[str, Any]) -> dict[str, Any]:
    """What the fields show of a document."""
    return {part.name: _found(document, part.place) for part in PARTS}


def written(document: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """The document with what the fields say."""
    whole: dict[str, Any] = dict(document)
    for part in PARTS:
        _put(whole, part.place, values.get(part.name), drops=part.drops)
    return whole


def field_of(problem: str) -> str | None:
    """The field that a line of `DocumentRefused` speaks of, or None."""
    said = problem.replace(": ", ".") + "."
    fitting = [part for part in PARTS if said.startswith(".".join(part.place) + ".")]
    return max(fitting, key=lambda part: len(part.place)).name if fitting else None


def _found(document: Any, place: Sequence[str]) -> Any:
    for key in place:
        document = document.get(key) if isinstance(document, Mapping) else None
    return document


def _put(document: dict[str, Any], place: Sequence[str], value: Any, *, drops: bool) -> None:
    key, *rest = place
    if rest:
        inner = document.get(key)
        changed = dict(inner) if isinstance(inner, Mapping) else {}
        _put(changed, rest, value, drops=drops)
        value, drops = changed, True
    if drops and value in (None, "", [], {}):
        document.pop(key, None)
    else:
        document[key] = value
