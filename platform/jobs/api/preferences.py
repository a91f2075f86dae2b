"""Headers that say how long to wait for an answer, and for the job."""

import re
from datetime import timedelta
from typing import Annotated, Final

from ninja import Header
from pydantic import AfterValidator, Field

LONGEST_WAIT: Final = 60
CANCEL_AFTER_LEAST: Final = timedelta(seconds=5)
CANCEL_AFTER_MOST: Final = timedelta(days=7)

_WAIT = re.compile(r"\s*wait\s*=\s*\"?(\d{1,9})\"?\s*(?:;.*)?", re.IGNORECASE)
_DURATION = re.compile(r"(?:(\d{1,6})h)?(?:(\d{1,6})m)?(?:(\d{1,6})s?)?")

Prefer = Annotated[
    str | None,
    Header(
        alias="Prefer",
        description="`wait=30`: answer once the job has ended or is held for a person, at the "
        f"latest after so many seconds, at most {LONGEST_WAIT} (RFC 7240)",
    ),
]


def _cancel_after(value: str) -> str:
    if not CANCEL_AFTER_LEAST <= duration_read(value) <= CANCEL_AFTER_MOST:
        raise ValueError("say 5s to 168h, as in 90s, 5m or 1h30m")
    return value


_Duration = Annotated[
    str,
    Field(min_length=1, max_length=20, pattern=r"^([0-9]{1,6}h)?([0-9]{1,6}m)?([0-9]{1,6}s?)?$"),
    AfterValidator(_cancel_after),
]
CancelAfter = Annotated[
    _Duration | None,
    Header(
        alias="Cancel-After",
        description="cancel the job unless it has ended by then, 5s to 168h: `90s`, `1h30m`",
    ),
]


def wait_seconds(prefer: str | None) -> int:
    """How long the client prefers to wait, in seconds, at most `LONGEST_WAIT`.

    0 where it did not say so: preferences that cannot be read do not count (RFC 7240, section 2).
    """
    for preference in (prefer or "").split(","):
        if wait := _WAIT.fullmatch(preference):
            return min(int(wait[1]), LONGEST_WAIT)
    return 0


def duration_read(value: str) -> timedelta:
    """`1h30m`, `90s` and `90` as times. Raises `ValueError` where it is none."""
    parts = _DURATION.fullmatch(value)
    if not value or parts is None:
        raise ValueError("not a duration: write 90s, 5m or 1h30m")
    hours, minutes, seconds = (int(part or 0) for part in parts.groups())
    return timedelta(hours=hours, minutes=minutes, seconds=seconds)
