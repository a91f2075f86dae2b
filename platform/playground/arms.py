"""What the page shows of a trial. Of a picture that is not out: at most a trace, and why."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from ethical_lens.decide import UNDER_TWENTY
from ethical_lens.results import AttributeDraw
from jobs.models import Job, Picture
from jobs.states import TERMINAL, JobStatus
from moderation.cards import PictureCard, picture_card
from playground.models import Trial

STEPS: Final = ("in the queue", "reading the prompt", "painting", "looking at the pictures", "done")
_STEP: Final[Mapping[str, int]] = {
    JobStatus.QUEUED: 0,
    JobStatus.ALIGNING: 1,
    JobStatus.GENERATING: 2,
    JobStatus.SCRUTINISING: 3,
}


@dataclass(frozen=True, slots=True)
class Shown:
    """A picture of an arm."""

    card: PictureCard
    draws: Sequence[str]

    @property
    def picture(self) -> Picture:
        return self.card.picture

    @property
    def out(self) -> bool:
        """Whether a verdict let it out: only then is it shown as it is."""
        return self.card.current is not None and self.card.current.out

    @property
    def judged(self) -> bool:
        return self.card.current is not None and bool(self.card.current.verdict)

    @property
    def trace(self) -> bool:
        """Whether its blurred grey trace is shown: of what was judged, and is nobody under 20
        beside sexual content."""
        return self.judged and not self.out and self.picture.reason != UNDER_TWENTY

    @property
    def why(self) -> str:
        """Why it is not shown, or what scrutiny said of it."""
        if self.card.current is not None and self.judged:
            return str(self.card.current.verdict.get("explanation", ""))
        return self.picture.job.explanation


@dataclass(frozen=True, slots=True)
class Arm:
    """One of the two jobs, and how far it is."""

    slug: str
    title: str
    job: Job
    pictures: Sequence[Shown]

    @property
    def step(self) -> int:
        return _STEP.get(self.job.status, len(STEPS) - 1)

    @property
    def over(self) -> bool:
        return self.job.status in TERMINAL

    @property
    def painted(self) -> bool:
        """Whether there is, or still may be, a picture."""
        return not self.over or any(shown.card.current for shown in self.pictures)

    @property
    def steps(self) -> list[tuple[str, str]]:
        """Each step with its state: done, now, or later, which may be never."""
        states = ["done" if i < self.step else "later" for i in range(len(STEPS))]
        states[self.step] = "done" if self.over else "now"
        if not self.painted:
            states[2:4] = ["later", "later"]
        last = self.job.status.replace("_", " ") if self.step == len(STEPS) - 1 else STEPS[-1]
        return list(zip((*STEPS[:-1], last), states, strict=True))


@dataclass(frozen=True, slots=True)
class Pair:
    """The pictures of one seed."""

    seed: int
    as_written: Shown
    aligned: Shown


def arms_of(trial: Trial) -> tuple[Arm, Arm]:
    """As written, and aligned."""
    return (
        _arm("as-written", "As written", trial.as_written),
        _arm("aligned", "With Ethical-Lens", trial.aligned),
    )


def pairs_of(as_written: Arm, aligned: Arm) -> list[Pair]:
    """Their pictures side by side, by seed."""
    return [
        Pair(one.picture.seed, one, other)
        for one, other in zip(as_written.pictures, aligned.pictures, strict=True)
    ]


def _arm(slug: str, title: str, job: Job) -> Arm:
    pictures = []
    for picture in job.pictures.select_related("current"):
        picture.job = job
        draws = [AttributeDraw.model_validate(draw) for draw in picture.draws or ()]
        told = [", ".join(v for v in (d.age, d.race, d.gender) if v is not None) for d in draws]
        pictures.append(Shown(picture_card(picture, job), [words for words in told if words]))
    return Arm(slug, title, job, pictures)
