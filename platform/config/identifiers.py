"""Identifiers: UUIDv7 (RFC 9562), so that rows sort by age and indexes grow at one end."""

import uuid
from datetime import UTC, datetime, timedelta
from typing import Final

from uuid_utils.compat import uuid7 as _uuid7

TOLD_WITHIN: Final = timedelta(hours=1)
"""The time in an id and that at which its row was written differ by less: what is sent with a job
is stored between them, and clocks are set."""


def uuid7() -> uuid.UUID:
    """A new time-ordered UUID, as the standard library's type."""
    return _uuid7()


def uuid7_first(moment: datetime) -> uuid.UUID:
    """The least UUIDv7 of that millisecond: ids since then are a range of an index. There is none
    before 1970."""
    milliseconds = max(int(moment.astimezone(UTC).timestamp() * 1000), 0)
    return uuid.UUID(int=milliseconds << 80)
