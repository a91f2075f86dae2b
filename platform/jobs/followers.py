"""One who follows a job. What is kept for it is bounded by what the job can still do: events that
were not taken yet, and of progress and place in the queue only the last."""

import asyncio
from uuid import UUID

from jobs.events import STATUS_ONLY, Followed, Happening
from jobs.places import Place
from jobs.progress import Progress
from jobs.states import JobStatus


class Follower:
    """Follows one job from the event after `sequence` on; `STATUS_ONLY`: no events, no progress."""

    def __init__(self, job_id: UUID, sequence: int) -> None:
        self.job_id = job_id
        self.sequence = sequence
        self.live = sequence < STATUS_ONLY
        self.status: JobStatus | None = None
        self.gone = False
        self._happenings: list[Happening] = []
        self._progress: dict[tuple[UUID, ...], Progress] = {}
        self._place: Place | None = None
        self._place_told: int | None = None
        self._woken = asyncio.Event()

    async def woken(self) -> None:
        """Return once something is new since the last time, the first look included."""
        await self._woken.wait()
        self._woken.clear()

    def take(self) -> list[Happening]:
        """What happened and was not taken yet, in order."""
        taken, self._happenings = self._happenings, []
        return taken

    def take_progress(self) -> list[Progress]:
        """The last of each group of pictures that are painted together, once."""
        taken, self._progress = list(self._progress.values()), {}
        return taken

    def take_place(self) -> Place | None:
        """The job's place in the queue, where it is another one."""
        place = self._place
        if place is None or place.position == self._place_told:
            return None
        self._place_told = place.position
        return place

    def tell(self, followed: Followed | None) -> None:
        """Take note of what was read; None: there is no such job."""
        if followed is None:
            self.gone = True
        else:
            self.status = followed.status
            for happening in followed.happenings:
                if happening.sequence > self.sequence:
                    self._happenings.append(happening)
                    self.sequence = happening.sequence
        self._woken.set()

    def tell_progress(self, progress: Progress) -> None:
        """Take note of how far some of its pictures are."""
        self._progress[progress.pictures] = progress
        self._woken.set()

    def tell_place(self, place: Place) -> None:
        """Take note of where it stands in the queue."""
        self._place = place
        self._woken.set()
