"""`Prefer: wait=…`: the answer to a submission, once the job has ended."""

import json
from collections.abc import Callable
from uuid import UUID

from asgiref.sync import sync_to_async
from django.http import HttpResponse

from config.repetition import REPLAYED
from jobs.api.preferences import wait_seconds
from jobs.waiting import wait_for_end


async def answer_waited(
    answer: HttpResponse, prefer: str | None, as_it_is: Callable[[UUID], HttpResponse]
) -> HttpResponse:
    """`answer` where nobody wants to wait; else that of `as_it_is`, which gets the job's id once
    the job has ended, is held for a person, or the time is up."""
    seconds = wait_seconds(prefer)
    if not seconds:
        return answer
    job_id = UUID(json.loads(answer.content)["id"])
    await wait_for_end(job_id, seconds=seconds)
    later = await sync_to_async(as_it_is)(job_id)
    for name in ("Location", REPLAYED):
        if name in answer:
            later[name] = answer[name]
    later["Preference-Applied"] = f"wait={seconds}"
    return later
