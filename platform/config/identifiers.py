"""Identifiers: UUIDv7 (RFC 9562), so that rows sort by age and indexes grow at one end."""

import uuid

from uuid_utils.compat import uuid7 as _uuid7


def uuid7() -> uuid.UUID:
    """A new time-ordered UUID, as the standard library's type."""
    return _uuid7()
