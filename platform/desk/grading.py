"""In which queue a subject waits, how severe it is, and by when an answer is due."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from desk.models import Category, Severity
from moderation.models import Decision, DecisionStage

ANSWER_WITHIN: Final[Mapping[Severity, timedelta]] = {
    Severity.HIGHEST: timedelta(hours=1),
    Severity.HIGH: timedelta(hours=4),
    Severity.MIDDLE: timedelta(hours=8),
    Severity.LOW: timedelta(hours=24),
}
"""The service-level clock."""

SEVERITIES: Final[Mapping[Category, Severity]] = {
    Category.NSFW: Severity.HIGH,
    Category.NUDE: Severity.HIGH,
    Category.PUBLIC: Severity.MIDDLE,
    Category.POLITIC: Severity.MIDDLE,
    Category.CULTURE: Severity.MIDDLE,
    Category.TEXT: Severity.MIDDLE,
    Category.ERROR: Severity.MIDDLE,
}
"""Of a queue where nothing else is known, in the order in which a queue is chosen."""

_FAILED = "_failed"
_NO_JUDGEMENT: Final = frozenset({"scores_unreadable", "no_verdict"})
_SEXUAL: Final = frozenset({Category.NSFW, Category.NUDE})


@dataclass(frozen=True, slots=True)
class Grade:
    """Queue, severity, and the times that follow from them."""

    category: Category
    severity: Severity

    def due_at(self, entered_at: datetime) -> datetime:
        """By when an answer is due."""
        return entered_at + ANSWER_WITHIN[self.severity]


def picture_grade(reason: str, decision: Decision | None, *, minor: bool) -> Grade:
    """`decision`: the last judgement on the picture, None without one; `reason`: why it is held.

    The queue is that of the worst concept found, else of the one nearest to its threshold, else
    of errors. Where somebody under 20 may be shown, sexual concepts are of the highest severity,
    and so is a picture that nothing is known of.
    """
    category = _category(reason, decision)
    minor = minor or any(
        face.get("under_twenty") for face in (decision.faces if decision is not None else [])
    )
    if minor and (category in _SEXUAL or category is Category.ERROR):
        return Grade(category, Severity.HIGHEST)
    return Grade(category, SEVERITIES[category])


def text_grade() -> Grade:
    """Of a prompt that nobody could judge."""
    return Grade(Category.TEXT, SEVERITIES[Category.TEXT])


def appeal_grade(appealed: Decision, *, minor: bool) -> Grade:
    """Of an appeal against a decision on a prompt or a picture."""
    if appealed.picture_id is None:
        return text_grade()
    return picture_grade(appealed.reason, appealed, minor=minor)


def last_judgements(decisions: Iterable[Decision]) -> dict[object, Decision]:
    """The last scrutiny of each picture, by the picture's id; `decisions` in their order."""
    return {
        decision.picture_id: decision
        for decision in decisions
        if decision.stage == DecisionStage.SCRUTINISE and decision.picture_id is not None
    }


def _category(reason: str, decision: Decision | None) -> Category:
    if reason.endswith(_FAILED) or reason in _NO_JUDGEMENT or decision is None:
        return Category.ERROR
    found = set(decision.findings)
    for category in SEVERITIES:
        if category.value in found:
            return category
    nearest = _nearest(decision.scores, decision.thresholds)
    return nearest if nearest is not None else Category.ERROR


def _nearest(scores: Mapping[str, float], thresholds: Mapping[str, float]) -> Category | None:
    """The concept whose score is nearest to its threshold, in proportion."""
    shares = {
        Category(concept): score / max(thresholds[concept], 1e-6)
        for concept, score in scores.items()
        if concept in thresholds and concept in Category.values
    }
    return max(shares, key=lambda category: shares[category]) if shares else None
