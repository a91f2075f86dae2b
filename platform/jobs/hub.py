"""Who follows jobs in one process: one LISTEN, one reader, any number of followers.

A follower holds no thread and no connection. Events are read for all at once when something was
told on the channel; how far the painting is comes by Redis, and places in the queue are looked up
now and then while somebody follows a job that waits.
"""

import asyncio
import logging
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, Final, TypeVar
from uuid import UUID
from weakref import WeakKeyDictionary

import psycopg
from django.conf import settings
from django.db import Error as DatabaseError
from django.db import connection
from redis.asyncio import Redis
from redis.exceptions import RedisError

from config.listening import listener_parameters
from jobs.events import JOB_CHANNEL, jobs_look
from jobs.followers import Follower
from jobs.places import places_look
from jobs.progress import PROGRESS_CHANNEL, progress_read
from jobs.states import JobStatus

logger = logging.getLogger(__name__)

READ_AT_ONCE: Final = 100
"""Jobs looked at in one go."""
CHECK_SECONDS: Final = 15.0
"""How long silence is taken for silence before the connection is checked."""
AWAY_SECONDS: Final = 1.0
PLACES_SECONDS: Final = 3.0
"""How often the queue is ranked, while somebody follows a job in it."""

Value = TypeVar("Value")


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
            parts = (self._listen(), self._read(), self._hear_progress(), self._look_at_queue())
            self._tasks = [asyncio.create_task(part) for part in parts]
            for task in self._tasks:
                task.add_done_callback(_report)

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
        while True:
            await self._something.wait()
            self._something.clear()
            changed, self._changed = list(self._changed), set()
            for start in range(0, len(changed), READ_AT_ONCE):
                after = self._after(changed[start : start + READ_AT_ONCE])
                try:
                    found = await self._in_reader(jobs_look, after)
                except (DatabaseError, psycopg.Error) as error:
                    logger.warning("jobs could not be looked at, trying again: %s", error)
                    await asyncio.sleep(AWAY_SECONDS)
                    self._look(*after)
                    continue
                for job_id in after:
                    for follower in self._followers.get(job_id, ()):
                        follower.tell(found.get(job_id))

    async def _hear_progress(self) -> None:
        while True:
            try:
                redis = Redis.from_url(settings.ENVIRONMENT.redis_url)
                async with redis, redis.pubsub(ignore_subscribe_messages=True) as channel:
                    await channel.subscribe(PROGRESS_CHANNEL)
                    async for message in channel.listen():
                        for progress in progress_read(message["data"]):
                            for follower in self._live(progress.job_id):
                                follower.tell_progress(progress)
            except RedisError as error:
                logger.warning("no news of progress, Redis is away: %s", error)
            await asyncio.sleep(AWAY_SECONDS)

    async def _look_at_queue(self) -> None:
        while True:
            await asyncio.sleep(PLACES_SECONDS)
            queued = [
                job_id
                for job_id in self._followers
                if any(f.status is JobStatus.QUEUED for f in self._live(job_id))
            ]
            if not queued:
                continue
            try:
                places = await self._in_reader(places_look, queued)
            except (DatabaseError, psycopg.Error) as error:
                logger.warning("no news of the queue, the database is away: %s", error)
                continue
            for job_id, place in places.items():
                for follower in self._live(job_id):
                    follower.tell_place(place)

    def _live(self, job_id: UUID) -> list[Follower]:
        return [follower for follower in self._followers.get(job_id, ()) if follower.live]

    async def _in_reader(self, look: Callable[[Any], Value], subjects: Any) -> Value:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._reader, _looked, look, subjects)

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


def _report(task: "asyncio.Task[None]") -> None:
    """A part that broke is started anew with the next follower."""
    if not task.cancelled() and (error := task.exception()):
        logger.error("the hub broke", exc_info=error)


def _looked(look: Callable[[Any], Value], subjects: Any) -> Value:
    try:
        return look(subjects)
    finally:
        connection.close()
