"""A job told in the order it happened: prompt, labels, pictures per round, people, release."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from ethical_lens.results import TextEdit
from jobs.models import Job, Picture, PictureVersion
from jobs.representation import prompt_edits
from jobs.states import TERMINAL
from moderation.cards import VersionCard, version_card
from moderation.models import Decision, DecisionAction, DecisionStage

_TITLES: Final[Mapping[str, str]] = {
    DecisionStage.REVISE: "Worded anew for round 2",
    DecisionStage.INSPECT: "Pictures that were sent, scrutinised",
    DecisionStage.EDIT: "Faces, painted anew",
}


@dataclass(frozen=True, slots=True)
class Look:
    """A picture as it came out of one round, what led to its prompt, and what was decided on it."""

    picture: Picture
    card: VersionCard
    edits: Sequence[TextEdit]
    decisions: Sequence[Decision]


@dataclass(frozen=True, slots=True)
class Chapter:
    """A step of the story. `kind` says how it is shown: prompt, text, round, person or end."""

    kind: str
    title: str
    at: datetime
    decisions: Sequence[Decision] = ()
    looks: Sequence[Look] = ()
    verdict: Mapping[str, Any] | None = None


def story_of(job: Job) -> list[Chapter]:
    """The chapters, oldest first; select `policy_version__policy` with the job."""
    decisions = list(
        job.decisions.select_related(
            "actor", "picture", "policy_version__policy", "replaces__actor"
        )
    )
    versions = list(
        PictureVersion.objects.filter(picture__job=job).select_related("picture__current")
    )
    chapters = [Chapter("prompt", "The prompt", job.created_at)]
    told: set[UUID] = set()
    for decision in decisions:
        if decision.id in told:
            continue
        if decision.stage == DecisionStage.REVIEW:
            chapters.append(Chapter("person", _person(decision), decision.created_at, [decision]))
        elif decision.stage == DecisionStage.ALIGN:
            reached = decision.action != DecisionAction.REVIEW
            chapters.append(_scrutiny(job, decision.created_at, [decision], told=reached))
        else:
            same = [d for d in decisions if (d.stage, d.round) == (decision.stage, decision.round)]
            told |= {d.id for d in same}
            chapters.append(_round(job, decision, same, versions))
    if job.text_verdict and not any(c.decisions and c.kind != "round" for c in chapters):
        chapters.append(_scrutiny(job, job.created_at, [], told=True))
    judged = {d.round for d in decisions if d.stage == DecisionStage.SCRUTINISE}
    for number in sorted({v.round for v in versions} - judged):  # painted, not judged yet
        painted = [v for v in versions if v.round == number]
        title = f"Round {number}: painted"
        looks = _looks(job, painted, [])
        chapters.append(Chapter("round", title, painted[0].created_at, looks=looks))
    if job.status in TERMINAL and job.ended_at:
        chapters.append(Chapter("end", "The end", job.ended_at))
    return sorted(chapters, key=lambda chapter: chapter.at)


def _scrutiny(job: Job, at: datetime, decisions: Sequence[Decision], *, told: bool) -> Chapter:
    verdict = job.text_verdict if told else None
    return Chapter("text", "What text scrutiny said", at, decisions, verdict=verdict)


def _round(
    job: Job, first: Decision, decisions: Sequence[Decision], versions: Iterable[PictureVersion]
) -> Chapter:
    if first.stage != DecisionStage.SCRUTINISE:
        title = _TITLES.get(first.stage, f"Decided at the stage {first.stage}")
        return Chapter("text", title, first.created_at, decisions)
    looks = _looks(job, [v for v in versions if v.round == first.round], decisions)
    shown = {d.id for look in looks for d in look.decisions}
    rest = [d for d in decisions if d.id not in shown]
    title = f"Round {first.round}: painted and scrutinised"
    return Chapter("round", title, first.created_at, rest, looks)


def _looks(
    job: Job, versions: Iterable[PictureVersion], decisions: Iterable[Decision]
) -> list[Look]:
    decisions = list(decisions)
    looks = []
    for version in sorted(versions, key=lambda v: (v.picture.index, v.id)):
        picture = version.picture
        picture.job = job
        painted = version.kind == PictureVersion.Kind.PAINTED
        edits = prompt_edits(picture, version.prompt, version.round) if painted else []
        own = [d for d in decisions if d.object_digest == version.sha256]
        looks.append(Look(picture, version_card(picture, version, job), edits, own))
    return looks


def _person(decision: Decision) -> str:
    match decision.action:
        case DecisionAction.RELEASE:
            return "A person released it"
        case DecisionAction.ALLOW:
            return "A person let it pass"
        case DecisionAction.BLOCK:
            return "A person blocked it"
        case DecisionAction.BLUR:
            return "A person blurred a region"
        case DecisionAction.REPAINT:
            return "A person had it painted anew"
        case _:
            return "A person held it"
