"""Requests per minute, of a key and of its tenant, counted in Redis for all web processes.

Minutes are those of the clock. With Redis away nothing is counted and requests are let in: a count
is no truth, and submitting must not need the broker.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from accounts.counting import WINDOW, Counter
from accounts.models import APIKey
from config.passing import Passing


@dataclass(frozen=True, slots=True)
class Rate:
    """What is left of a quota in the minute under way; less than none where it is used up."""

    name: str
    quota: int
    left: int
    reset: int

    @property
    def policy(self) -> str:
        return f'"{self.name}";q={self.quota};w={WINDOW}'

    @property
    def state(self) -> str:
        return f'"{self.name}";r={max(self.left, 0)};t={self.reset}'


def request_count(key: APIKey) -> tuple[Rate, ...]:
    """Count one request of the key; the rates it counts against, none where Redis is away.

    What is too much for the key does not count against its tenant: one key that runs wild costs
    the others nothing.
    """
    now = time.time()
    minute, reset = int(now // WINDOW), WINDOW - int(now % WINDOW)
    of_tenant = key.tenant.requests_per_minute or settings.ENVIRONMENT.quota_requests_per_minute
    rates: list[Rate] = []
    for name, pk, quota in (
        ("key", key.id, key.requests_per_minute),
        ("tenant", key.tenant_id, of_tenant),
    ):
        count = _COUNTER.add(f"rate:{pk}:{minute}") if quota else None
        if quota and count is not None:
            rates.append(Rate(name=name, quota=quota, left=quota - count, reset=reset))
            if count > quota:
                break
    return tuple(rates)


class RateLimitMiddleware(Passing):
    """Tells what is left on every answer to a request whose key was valid."""

    @contextmanager
    def around(self, request: HttpRequest) -> Iterator[Callable[[HttpResponse], None]]:
        def tell(response: HttpResponse) -> None:
            rates: tuple[Rate, ...] = getattr(request, "rates", ())
            if rates:
                response["RateLimit-Policy"] = ", ".join(rate.policy for rate in rates)
                response["RateLimit"] = ", ".join(rate.state for rate in rates)

        yield tell


_COUNTER = Counter()
