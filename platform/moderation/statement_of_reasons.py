"""A decision as the statement of reasons that the EU Digital Services Act asks for.

Regulation (EU) 2022/2065, Article 17(3), in the attributes of the DSA Transparency Database (API
since July 2025): https://transparency.dsa.ec.europa.eu/page/api-documentation. How our terms map to
its own is told in docs/decisions-export.md.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from ethical_lens.decide import UNDER_TWENTY
from ethical_lens.results import Concept, Factor
from jobs.representation import job_urls
from moderation.models import Decision, DecisionAction, DecisionStage, ReportReason

EEA: Final = (
    "AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GR", "HR", "HU", "IE",
    "IS", "IT", "LI", "LT", "LU", "LV", "MT", "NL", "NO", "PL", "PT", "RO", "SE", "SI", "SK",
)  # fmt: skip
"""A decision holds wherever the platform is reached; the database asks where in the EEA."""

_OTHER = "DECISION_VISIBILITY_OTHER"
VISIBILITY: Final[Mapping[str, tuple[str, str]]] = {
    DecisionAction.BLOCK: ("DECISION_VISIBILITY_CONTENT_DISABLED", ""),
    DecisionAction.REVIEW: (_OTHER, "Withheld until a person has looked."),
    DecisionAction.BLUR: (_OTHER, "A region of the picture is blurred before it is shown."),
    DecisionAction.REPAINT: (_OTHER, "The picture is withheld and painted again, once."),
    DecisionAction.REWRITE: (_OTHER, "The prompt is reworded before anything is painted from it."),
}
"""What each action restricts, with words where the database has no name for it. Actions that are
not here restrict nothing: no statement is due."""

_TERMS = "STATEMENT_CATEGORY_OTHER_VIOLATION_TC"
_MINORS = "STATEMENT_CATEGORY_PROTECTION_OF_MINORS"
CATEGORIES: Final[Mapping[str, str]] = {
    Factor.HATE: "STATEMENT_CATEGORY_ILLEGAL_OR_HARMFUL_SPEECH",
    Factor.HARASSMENT: "STATEMENT_CATEGORY_CYBER_VIOLENCE",
    Factor.VIOLENCE: "STATEMENT_CATEGORY_VIOLENCE",
    Factor.SELF_HARM: "STATEMENT_CATEGORY_SELF_HARM",
    Factor.SEXUAL: _TERMS,
    Factor.SHOCKING: _TERMS,
    Factor.ILLEGAL: "STATEMENT_CATEGORY_RISK_FOR_PUBLIC_SECURITY",
    Factor.POLITICAL: "STATEMENT_CATEGORY_NEGATIVE_EFFECTS_ON_CIVIC_DISCOURSE_OR_ELECTIONS",
    Factor.CULTURE: _TERMS,
    Concept.NSFW: _TERMS,
    Concept.NUDE: _TERMS,
    Concept.POLITIC: "STATEMENT_CATEGORY_NEGATIVE_EFFECTS_ON_CIVIC_DISCOURSE_OR_ELECTIONS",
    Concept.CULTURE: _TERMS,
    Concept.PUBLIC: "STATEMENT_CATEGORY_DATA_PROTECTION_AND_PRIVACY_VIOLATIONS",
}
KEYWORDS: Final[Mapping[str, str]] = {
    Factor.HATE: "KEYWORD_HATE_SPEECH",
    Factor.HARASSMENT: "KEYWORD_CYBER_HARASSMENT",
    Factor.SEXUAL: "KEYWORD_ADULT_SEXUAL_MATERIAL",
    Concept.NUDE: "KEYWORD_NUDITY",
}
NOTICED: Final[Mapping[str, str]] = {
    ReportReason.MINOR: _MINORS,
    ReportReason.VIOLENCE: CATEGORIES[Factor.VIOLENCE],
    ReportReason.HATE: CATEGORIES[Factor.HATE],
    ReportReason.PERSON: CATEGORIES[Concept.PUBLIC],
}
"""What a report says is wrong, where the database has a category for it."""
FIELDS: Final = (
    "decision_visibility", "decision_visibility_other", "end_date_visibility_restriction",
    "decision_facts", "source_type", "automated_detection", "automated_decision",
    "decision_ground", "incompatible_content_ground", "incompatible_content_explanation",
    "category", "category_addition", "category_specification", "content_type",
    "territorial_scope", "content_date", "application_date", "puid", "redress",
)  # fmt: skip
Statement = dict[str, Any]


def statement_of_reasons(
    decision: Decision, replaced_by: Decision | None, notices: Sequence[str] = ()
) -> Statement | None:
    """The statement's attributes, in the order of `FIELDS`; None where nothing is restricted.
    `notices` are the reasons of the reports that the decision answers: nothing was detected then,
    somebody said it.

    Select `job`, `policy_version__policy` and `replaces` with the decision.
    """
    if decision.action not in VISIBILITY:
        return None
    visibility, other = VISIBILITY[DecisionAction(decision.action)]
    subject = decision if _named(decision) else decision.replaces or decision
    main, *further = _categories(subject, notices)
    by_system = decision.actor_id is None
    of_system = decision.replaces is not None and decision.replaces.actor_id is None
    return {
        "decision_visibility": [visibility],
        "decision_visibility_other": other,
        "end_date_visibility_restriction": _date(replaced_by) if replaced_by else None,
        "decision_facts": _facts(decision, subject, notices),
        "source_type": "SOURCE_TYPE_OTHER_NOTIFICATION" if notices else "SOURCE_VOLUNTARY",
        "automated_detection": "Yes" if (by_system or of_system) and not notices else "No",
        "automated_decision": "AUTOMATED_DECISION_FULLY"
        if by_system
        else "AUTOMATED_DECISION_PARTIALLY"
        if of_system and not notices
        else "AUTOMATED_DECISION_NOT_AUTOMATED",
        "decision_ground": "DECISION_GROUND_INCOMPATIBLE_CONTENT",
        "incompatible_content_ground": f"policy {decision.policy_version}: {decision.reason}",
        "incompatible_content_explanation": decision.explanation[:2000],
        "category": main,
        "category_addition": further,
        "category_specification": [KEYWORDS[c] for c in _named(subject) if c in KEYWORDS],
        "content_type": _content_type(decision),
        "territorial_scope": list(EEA),
        "content_date": f"{decision.job.created_at:%Y-%m-%d}",
        "application_date": _date(decision),
        "puid": str(decision.id),
        "redress": (
            f"Appeal once by POST {job_urls(decision.job_id).appeal}; a person answers. "
            "Out-of-court dispute settlement (Article 21) and the courts stay "
            "open."
        ),
    }


def _content_type(decision: Decision) -> list[str]:
    if decision.stage == DecisionStage.INSPECT:
        return ["CONTENT_TYPE_IMAGE"]
    if decision.picture_id:
        return ["CONTENT_TYPE_SYNTHETIC_MEDIA", "CONTENT_TYPE_IMAGE"]
    return ["CONTENT_TYPE_TEXT"]


def _named(decision: Decision) -> list[str]:
    """Factors and concepts that the decision names."""
    return [*decision.factors, *decision.findings]


def _categories(decision: Decision, notices: Sequence[str]) -> Sequence[str]:
    """The categories of what was found or reported, without repetition, minors first."""
    reported = [NOTICED[reason] for reason in notices if reason in NOTICED]
    minors = [_MINORS] if decision.reason == UNDER_TWENTY or _MINORS in reported else []
    found = [CATEGORIES[code] for code in _named(decision) if code in CATEGORIES]
    return list(dict.fromkeys([*minors, *reported, *found])) or [_TERMS]


def _facts(decision: Decision, subject: Decision, notices: Sequence[str]) -> str:
    """What was seen, in figures. No word of the prompt: the database takes no personal data."""
    scores = [
        f"{name} {score:.2f}"
        + (f" (threshold {subject.thresholds[name]:.2f})" if name in subject.thresholds else "")
        for name, score in subject.scores.items()
    ]
    if decision.stage == DecisionStage.INSPECT:
        what = "A picture that was sent"
    else:
        what = "A generated picture" if decision.picture_id else "A prompt for a picture"
    found = ", ".join(_named(subject)) or "nothing by name"
    measured = f" Scores, 0 to 1: {', '.join(scores)}." if scores else ""
    said = f" Reported as: {', '.join(notices)}." if notices else ""
    return f"{what} at the stage {decision.stage}. Found: {found}.{said}{measured}"[:5000]


def _date(decision: Decision) -> str:
    return f"{decision.created_at:%Y-%m-%d}"
