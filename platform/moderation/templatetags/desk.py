"""What the templates of the moderation pages need."""

from django import template

from ethical_lens.results import Factor, Label
from jobs.models import StageRun
from moderation.badges import VARIANTS

register = template.Library()

LABEL_WORDS = {
    Label.K0: "safe",
    Label.K1: "rewritten",
    Label.K2: "explicit, rewritten",
    Label.K3: "refused",
    Label.A1: "public figure",
}


@register.filter
def variant(value: str) -> str:
    """The colour of a status, action or label."""
    return VARIANTS.get(value, "default")


@register.filter
def label_words(code: str) -> str:
    """`K2` in words, after its code."""
    return f"{code} {LABEL_WORDS[Label(code)]}" if code in LABEL_WORDS else code


@register.filter
def factor_words(code: str) -> str:
    """`P5` in words, after its code."""
    names = {factor.value: factor.name.lower().replace("_", " ") for factor in Factor}
    return f"{code} {names[code]}" if code in names else code


@register.filter
def took(run: StageRun) -> str:
    """How long a finished stage ran, from its first claim."""
    if run.started_at is None or run.finished_at is None:
        return ""
    return f"{(run.finished_at - run.started_at).total_seconds():.1f} s"


@register.filter
def words(code: str) -> str:
    """A stable code as words."""
    return str(code).replace("_", " ")
