"""Counters in Redis that all processes share, and that are forgotten when their minute is over."""

import logging
import time
from functools import cache
from typing import Final

from django.conf import settings
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

WINDOW: Final = 60
"""Seconds of a window. Minutes are those of the clock."""
ANSWER_SECONDS: Final = 0.25
AWAY_SECONDS: Final = 5.0
"""How long Redis is not asked again, once it did not answer."""

logger = logging.getLogger(__name__)


class Counter:
    """Counts in Redis, as long as it is there."""

    def __init__(self) -> None:
        self._away_until = 0.0

    def add(self, name: str) -> int | None:
        """Add one; what it is now. None where Redis is away."""
        if time.monotonic() < self._away_until:
            return None
        try:
            with _redis(settings.ENVIRONMENT.redis_url).pipeline(transaction=False) as pipeline:
                pipeline.incr(name)
                pipeline.expire(name, 2 * WINDOW)
                return int(pipeline.execute()[0])
        except RedisError as error:
            self._away_until = time.monotonic() + AWAY_SECONDS
            logger.warning("not counted in Redis, it is away: %s", error)
            return None


@cache
def _redis(url: str) -> Redis:
    return Redis.from_url(
        url,
        socket_timeout=ANSWER_SECONDS,
        socket_connect_timeout=ANSWER_SECONDS,
        retry=Retry(NoBackoff(), 1),
    )
