"""Attempts with keys that do not exist, counted per address and bounded per minute.

Counted in Redis for all web processes. Each process keeps for itself what it saw, so that valid
requests cost nothing, and so that with Redis away the bound holds in every single process: less
exact, never open. PostgreSQL is not needed.
"""

import threading
import time
from ipaddress import IPv6Address, ip_network
from typing import Final

from django.conf import settings

from accounts.counting import WINDOW, Counter
from config.addresses import Address

MOST_ADDRESSES: Final = 10_000
"""That one process tells apart in a minute; those beyond share one count."""
_OTHERS: Final = "others"


class Guesses:
    """The failed attempts of the minute under way, as one process knows them."""

    def __init__(self) -> None:
        self._minute, self._counts = 0, dict[str, int]()
        self._lock = threading.Lock()
        self._shared = Counter()

    def wait(self, address: Address | None) -> int:
        """Seconds until the address may try again; 0 where it may now."""
        bound = settings.ENVIRONMENT.quota_failed_attempts_per_minute
        now = time.time()
        with self._lock:
            self._turn(now)
            over = bound and self._counts.get(self._name(address), 0) >= bound
        return WINDOW - int(now % WINDOW) if over else 0

    def add(self, address: Address | None) -> None:
        """Count one failed attempt of the address."""
        now = time.time()
        shared = self._shared.add(f"guess:{_subject(address)}:{int(now // WINDOW)}")
        with self._lock:
            self._turn(now)
            name = self._name(address)
            self._counts[name] = max(self._counts.get(name, 0) + 1, shared or 0)

    def _turn(self, now: float) -> None:
        minute = int(now // WINDOW)
        if minute != self._minute:
            self._minute, self._counts = minute, {}

    def _name(self, address: Address | None) -> str:
        subject = _subject(address)
        full = len(self._counts) >= MOST_ADDRESSES
        return _OTHERS if full and subject not in self._counts else subject


def _subject(address: Address | None) -> str:
    """What counts as one: an address, of IPv6 the 64 bits that one customer gets (RFC 6177)."""
    if isinstance(address, IPv6Address):
        return str(ip_network((address, 64), strict=False))
    return str(address or "unknown")
