"""Who follows jobs in one process: one LISTEN, one reader, any number of followers.

A waiter holds no thread and no connection. What the hub keeps of a follower is bounded by what its
job can still do: events that were not taken yet, and nothing of what was.
"""

import asyncio
import logging
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Final
from uuid import UUID
from weakref import WeakKeyDictionary

import psycopg
from django.db import Error as DatabaseError
from django.db import connection

from config.listening import listener_parameters
from jobs.events import JOB_CHANNEL, Followed, Happening, jobs_look
from jobs.states import JobStatus

logger = logging.getLogger(__name__)

READ_AT_ONCE: Final = 100
"""Jobs looked at in one go."""
CHECK_SECONDS: Final = 15.0
"""How long silence is taken for silence before the connection is checked."""
AWAY_SECONDS: Final = 1.0


class Follower:
    """One who follows one job, from the event after `sequence` on."""

    def __init__(self, job_id: UUID, sequence: int) -> None:
        self.job_id = job_id
        self.sequence = sequence
        self.status: JobStatus | None = None
        self.gone = False
        self._happenings: list[Happening] = []
        self._woken = asyncio.Event()

    async def woken(self) -> None:
        """Return once something is new since the last time, the first look included."""
        await self._woken.wait()
        self._woken.clear()

    def take(self) -> list[Happening]:
        """What happened and was not taken yet, in order."""
        taken, self._happenings = self._happenings, []
        return taken

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


class Hub:
    """The followers of one event loop. Starts to listen with the first of them."""

    def __init__(self) -> None:
        self._followers: dict[UUID, set[Follower]] = {}
        self._changed: set[UUID] = set()
        self._something = asyncio.Event()
        self._reader = ThreadPoolExecutor(max_workers=1, thread_name_prefix="hub")
        self._tasks: list[asyncio.Task[None]] = []

    @contextmanager
    def follow(self, job_id: UUID, *, after: int) -> Iterator[Follower]:
        """Follow the job from the event after number `after` on: -1 for all of them,
        `STATUS_ONLY` for none."""
        follower = Follower(job_id, after)
        self._followers.setdefault(job_id, set()).add(follower)
        self._look(job_id)
        self._start()
        try:
            yield follower
        finally:
            others = self._followers[job_id]
            others.discard(follower)
            if not others:
                del self._followers[job_id]

    def _start(self) -> None:
        if not self._tasks or any(task.done() for task in self._tasks):
            for task in self._tasks:
                task.cancel()
            self._tasks = [asyncio.create_task(self._listen()), asyncio.create_task(self._read())]

    def _look(self, *job_ids: UUID) -> None:
        self._changed.update(job_ids)
        self._something.set()

    async def _listen(self) -> None:
        while True:
            try:
                connected = await psycopg.AsyncConnection.connect(
                    **listener_parameters(), application_name="hub"
                )
                async with connected as listener:
                    await listener.execute(f"LISTEN {JOB_CHANNEL}")
                    self._look(*self._followers)  # what was told meanwhile was not heard
                    await self._hear(listener)
            except psycopg.Error as error:
                logger.warning("no news of jobs, the database is away: %s", error)
                await asyncio.sleep(AWAY_SECONDS)

    async def _hear(self, listener: "psycopg.AsyncConnection[tuple[object, ...]]") -> None:
        while True:
            async for notice in listener.notifies(timeout=CHECK_SECONDS):
                job_id = UUID(notice.payload)
                if job_id in self._followers:
                    self._look(job_id)
            await listener.execute("SELECT 1")

    async def _read(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await self._something.wait()
            self._something.clear()
            changed, self._changed = list(self._changed), set()
            for start in range(0, len(changed), READ_AT_ONCE):
                after = self._after(changed[start : start + READ_AT_ONCE])
                try:
                    found = await loop.run_in_executor(self._reader, _look, after)
                except (DatabaseError, psycopg.Error) as error:
                    logger.warning("jobs could not be looked at, trying again: %s", error)
                    await asyncio.sleep(AWAY_SECONDS)
                    self._look(*after)
                    continue
                for job_id in after:
                    for follower in self._followers.get(job_id, ()):
                        follower.tell(found.get(job_id))

    def _after(self, job_ids: list[UUID]) -> dict[UUID, int]:
        """The last event that all followers of each job know."""
        return {
            job_id: min(follower.sequence for follower in self._followers[job_id])
            for job_id in job_ids
            if job_id in self._followers
        }


def hub() -> Hub:
    """The hub of the running event loop: a web process has one loop."""
    loop = asyncio.get_running_loop()
    if loop not in _HUBS:
        _HUBS[loop] = Hub()
    return _HUBS[loop]


_HUBS: "WeakKeyDictionary[asyncio.AbstractEventLoop, Hub]" = WeakKeyDictionary()


def _look(after: dict[UUID, int]) -> dict[UUID, Followed]:
    try:
        return jobs_look(after)
    finally:
        connection.close()
