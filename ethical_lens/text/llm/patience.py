"""How long one call goes on asking a server: bounded tries, waits with jitter, `Retry-After`."""

import random
import re
import time
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Final

import httpx

from ethical_lens.text.llm.settings import LlmSettings

LONGEST_DELAY: Final = 10.0
"""Seconds that the doubling delay between tries does not go past."""
TRY_AGAIN: Final = frozenset(
    {
        HTTPStatus.REQUEST_TIMEOUT,
        HTTPStatus.CONFLICT,
        HTTPStatus.TOO_MANY_REQUESTS,
        HTTPStatus.INTERNAL_SERVER_ERROR,
        HTTPStatus.BAD_GATEWAY,
        HTTPStatus.SERVICE_UNAVAILABLE,
        HTTPStatus.GATEWAY_TIMEOUT,
    }
)
"""Answers by which a server says that it cannot now."""
_LEAST: Final = 0.001
"""Seconds that a request has at least."""
_random = random.SystemRandom()


class Patience:
    """Of one call, from when it is made. Not for two threads."""

    def __init__(self, settings: LlmSettings) -> None:
        self._settings = settings
        self._deadline = time.monotonic() + settings.deadline_seconds
        self._tries = 0

    @property
    def seconds(self) -> float:
        """What the next request may take."""
        left = max(self._deadline - time.monotonic(), _LEAST)  # a wait may have taken longer
        return min(self._settings.timeout_seconds, left)

    def wait(self, asked: float = 0.0) -> bool:
        """Wait before the next try: `asked` seconds, as the server wants, and a random part of a
        delay that doubles. False, at once, where retries are used up or the deadline would pass."""
        settings = self._settings
        most = min(LONGEST_DELAY, settings.retry_seconds * 2**self._tries)
        seconds = asked + _random.uniform(0, most)
        if self._tries == settings.retries or time.monotonic() + seconds >= self._deadline:
            return False
        time.sleep(seconds)
        self._tries += 1
        return True


def retry_after(response: httpx.Response) -> float:
    """Seconds in `Retry-After`, given as a number or a date (RFC 9110, 10.2.3); else 0."""
    value = response.headers.get("retry-after", "").strip()
    if re.fullmatch(r"\d{1,9}(\.\d+)?", value):
        return float(value)
    try:
        moment = parsedate_to_datetime(value)
    except ValueError:
        return 0.0
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, (moment - datetime.now(UTC)).total_seconds())
