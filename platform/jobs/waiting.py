"""Waiting for the end of a job, in an async view, without a thread or a connection."""

import asyncio
from typing import Final
from uuid import UUID

from asgiref.sync import SyncToAsync, sync_to_async
from django.db import close_old_connections

from jobs.events import STATUS_ONLY
from jobs.hub import hub
from jobs.states import TERMINAL, JobStatus

SETTLED: Final = TERMINAL | {JobStatus.NEEDS_REVIEW}
"""Nothing more happens to these jobs, or not before a person has looked."""


async def wait_for_end(job_id: UUID, *, seconds: float) -> JobStatus | None:
    """The job's status as soon as it has ended or is held for a person, and None where that did
    not happen within `seconds` or there is no such job.

    What the request held so far is given back first: see `request_release`.
    """
    await request_release()
    try:
        async with asyncio.timeout(seconds):
            with hub().follow(job_id, after=STATUS_ONLY) as follower:
                while not follower.gone:
                    await follower.woken()
                    if follower.status in SETTLED:
                        return follower.status
    except TimeoutError:
        pass
    return None


async def request_release() -> None:
    """Give back the database connection and the thread of the request under way.

    Both come again with its next synchronous call. Outside a transaction only.
    """
    await sync_to_async(close_old_connections)()
    context = SyncToAsync.thread_sensitive_context.get(None)
    thread = SyncToAsync.context_to_thread_executor.pop(context, None) if context else None
    if thread is not None:
        thread.shutdown(wait=False)
