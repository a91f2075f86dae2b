"""A picture as the pages show it: preview, scores against thresholds, what may be done."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ethical_lens.results import TextEdit
from jobs.models import Job, Picture, PictureVersion, SentPicture
from jobs.representation import picture_edits
from jobs.states import PictureStatus
from moderation.previews import is_out


@dataclass(frozen=True, slots=True)
class ScoreBar:
    """A head's score beside its threshold, both 0 to 1; a threshold above 1 cannot be reached."""

    concept: str
    score: float
    threshold: float

    @property
    def fired(self) -> bool:
        return self.score >= self.threshold

    @property
    def reachable(self) -> bool:
        return self.threshold <= 1.0

    @property
    def width(self) -> str:
        return _percent(self.score)

    @property
    def mark(self) -> str:
        return _percent(self.threshold)


@dataclass(frozen=True, slots=True)
class VersionCard:
    """One round's picture and the verdict on it."""

    version: PictureVersion
    out: bool
    verdict: Mapping[str, Any]
    bars: tuple[ScoreBar, ...]

    @property
    def changed(self) -> bool:
        """Whether a region of it was blurred or edited."""
        return self.version.kind != PictureVersion.Kind.PAINTED


@dataclass(frozen=True, slots=True)
class PictureCard:
    """The picture with its current version, where it has one."""

    picture: Picture
    current: VersionCard | None

    @property
    def edits(self) -> list[TextEdit]:
        """What leads from the prompt of the verdict to the one it was painted from."""
        return picture_edits(self.picture)

    @property
    def leaving(self) -> bool:
        """Cleared, and not out yet."""
        return self.picture.cleared_by_id is not None and self.picture.status in {
            PictureStatus.QUARANTINED,
            PictureStatus.IN_REVIEW,
        }


@dataclass(frozen=True, slots=True)
class SentCard:
    """A picture or mask that was sent with a job, and the verdict on it; `mask` belongs to a
    picture that is painted on."""

    sent: SentPicture
    mask: SentPicture | None
    verdict: Mapping[str, Any]
    bars: tuple[ScoreBar, ...]


def version_card(picture: Picture, version: PictureVersion, job: Job) -> VersionCard:
    """`job.policy_version` should be selected with the job."""
    verdict = version.verdict or {}
    return VersionCard(version, is_out(picture, version), verdict, _bars(verdict, job))


def sent_cards(job: Job) -> list[SentCard]:
    """One for each picture and mask that was sent; `job.policy_version` should be selected."""
    sent = list(job.sent.all())
    masks = [one for one in sent if one.role == SentPicture.Role.MASK]
    return [
        SentCard(
            one,
            masks[0] if masks and one.role == SentPicture.Role.PICTURE else None,
            one.verdict or {},
            _bars(one.verdict or {}, job),
        )
        for one in sent
    ]


def _bars(verdict: Mapping[str, Any], job: Job) -> tuple[ScoreBar, ...]:
    scores: Mapping[str, float] = verdict.get("scores", {})
    return tuple(
        ScoreBar(concept, scores[concept], threshold)
        for concept, threshold in job.policy_version.parsed.thresholds.items()
        if concept in scores
    )


def picture_card(picture: Picture, job: Job) -> PictureCard:
    """`current` should be selected with the picture."""
    return PictureCard(
        picture=picture,
        current=version_card(picture, picture.current, job) if picture.current else None,
    )


def _percent(share: float) -> str:
    return f"{100 * min(max(share, 0.0), 1.0):.1f}%"
