"""From a submission to the end of its jobs."""

import asyncio
from collections.abc import Sequence
from typing import Final
from uuid import UUID

from jobs.waiting import wait_for_end

WAIT_SECONDS: Final = 300.0
"""Less than the ten minutes after which OpenAI's clients give up, so that they are told."""


async def wait_for_all(job_ids: Sequence[UUID]) -> None:
    """Return once every job has ended or is held for a person, or the time is up."""
    await asyncio.gather(*(wait_for_end(job_id, seconds=WAIT_SECONDS) for job_id in job_ids))
