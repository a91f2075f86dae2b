"""How far the painting is, told through Redis: of the moment only, and nothing depends on it."""

import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final
from uuid import UUID

from django.conf import settings
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

PROGRESS_CHANNEL: Final = "progress"
ANSWER_SECONDS: Final = 0.25

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Progress:
    """Pictures of one job that are painted together: `step` of `steps` diffusion steps is done."""

    job_id: UUID
    pictures: tuple[UUID, ...]
    step: int
    steps: int


def progress_publish(*, pictures: Mapping[UUID, Sequence[UUID]], step: int, steps: int) -> None:
    """Tell how far pictures, by job, are. Where Redis is away, nobody is told."""
    message = {
        "jobs": {str(job): [str(picture) for picture in own] for job, own in pictures.items()},
        "step": step,
        "steps": steps,
    }
    try:
        _redis(settings.ENVIRONMENT.redis_url).publish(PROGRESS_CHANNEL, json.dumps(message))
    except RedisError as error:
        logger.warning("progress is not told, Redis is away: %s", error)


def progress_read(message: bytes) -> list[Progress]:
    """What `progress_publish` told, per job."""
    told = json.loads(message)
    return [
        Progress(UUID(job), tuple(UUID(picture) for picture in own), told["step"], told["steps"])
        for job, own in told["jobs"].items()
    ]


@cache
def _redis(url: str) -> Redis:
    return Redis.from_url(
        url,
        socket_timeout=ANSWER_SECONDS,
        socket_connect_timeout=ANSWER_SECONDS,
        retry=Retry(NoBackoff(), 1),
    )
