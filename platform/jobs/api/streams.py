"""`GET /jobs/{id}/events`: what happens to a job, as it happens.

https://html.spec.whatwg.org/multipage/server-sent-events.html
"""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import asdict
from typing import Annotated, Any, Final
from uuid import UUID

from asgiref.sync import sync_to_async
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from ninja import Header, Router

from accounts.authentication import APIKeyAuth, request_key
from accounts.models import Scope
from jobs.followers import Follower
from jobs.hub import hub
from jobs.models import Job
from jobs.progress import Progress
from jobs.states import TERMINAL
from jobs.waiting import request_release

HEARTBEAT_SECONDS: Final = 15.0
LONGEST_SECONDS: Final = 3600.0
"""A stream ends after an hour: whoever comes again is asked for its key again."""
RETRY_MILLISECONDS: Final = 2000

EVENT: Final = {
    "title": "Event",
    "description": "each event of the stream, as an EventSource reads it",
    "type": "object",
    "required": ["event", "data"],
    "properties": {
        "id": {"type": "string", "pattern": "^[0-9]{1,5}$"},
        "event": {"enum": ["status", "decision", "end", "progress", "queue"]},
        "data": {"type": "string", "contentMediaType": "application/json"},
    },
    "if": {"properties": {"event": {"const": "decision"}}},
    "then": {
        "properties": {"data": {"contentSchema": {"$ref": "#/components/schemas/DecisionOut"}}}
    },
}
LastEventID = Annotated[
    str | None,
    Header(
        alias="Last-Event-ID",
        pattern=r"^[0-9]{1,5}$",
        description="the `id` of the last event that was seen: go on after it",
    ),
]

router = Router()


@router.get(
    "/{uuid:job_id}/events",
    auth=APIKeyAuth(Scope.JOBS_READ),
    response={200: None, 204: None},
    summary="Follow a job",
    openapi_extra={
        "responses": {
            200: {
                "description": "Server-sent events: `status`, `decision` and `end` with an `id`; "
                "`progress` and `queue` without",
                "content": {"text/event-stream": {"schema": EVENT}},
            },
            204: {"description": "The job has ended and its last event was seen"},
        }
    },
)
async def events(
    request: HttpRequest, job_id: UUID, last_event_id: LastEventID = None
) -> HttpResponseBase:
    """A stream that ends with the job. Where it breaks, go on with `Last-Event-ID`, as every
    EventSource does by itself."""
    seen = -1 if last_event_id is None else int(last_event_id)
    if await sync_to_async(_over)(request, job_id, seen):
        return HttpResponse(status=204)
    return stream_answer(job_id, seen)


def stream_answer(job_id: UUID, seen: int) -> StreamingHttpResponse:
    """The events of a job after number `seen`, -1 for all of them. Whether the asker may follow it
    is for the caller to know."""
    return StreamingHttpResponse(
        _stream(job_id, seen),
        content_type="text/event-stream",
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )


def _over(request: HttpRequest, job_id: UUID, seen: int) -> bool:
    """Whether nothing will come any more. Raises 404 where the tenant has no such job."""
    job = get_object_or_404(Job, pk=job_id, tenant=request_key(request).tenant_id)
    return job.status in TERMINAL and not job.log.filter(sequence__gt=seen).exists()


async def _stream(job_id: UUID, seen: int) -> AsyncIterator[bytes]:
    await request_release()  # here, since middleware comes after the view
    yield f"retry: {RETRY_MILLISECONDS}\n\n".encode()
    until = asyncio.get_running_loop().time() + LONGEST_SECONDS
    with hub().follow(job_id, after=seen) as follower:
        while not follower.gone and asyncio.get_running_loop().time() < until:
            try:
                async with asyncio.timeout(HEARTBEAT_SECONDS):
                    await follower.woken()
            except TimeoutError:
                yield b": \n\n"
                continue
            if news := _news(follower):
                yield news
            if follower.status in TERMINAL:
                return


def _news(follower: Follower) -> bytes:
    happenings, place = follower.take(), follower.take_place()
    parts = [_event(happening.type, happening.data, happening.sequence) for happening in happenings]
    if follower.status not in TERMINAL:
        parts += [_event("progress", _shown(progress)) for progress in follower.take_progress()]
        parts += [_event("queue", asdict(place))] if place else []
    return "".join(parts).encode()


def _shown(progress: Progress) -> dict[str, Any]:
    return {"pictures": progress.pictures, "step": progress.step, "steps": progress.steps}


def _event(type: str, data: dict[str, Any], number: int | None = None) -> str:
    numbered = "" if number is None else f"id: {number}\n"
    return f"{numbered}event: {type}\ndata: {json.dumps(data, default=str)}\n\n"
