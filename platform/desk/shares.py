"""A share of all, by their ids: whoever asks again gets the same answer."""

from hashlib import sha256
from uuid import UUID


def drawn(subject: UUID, rate: float) -> bool:
    """Whether the subject is among the share `rate` (0 to 1) of all."""
    return int.from_bytes(sha256(subject.bytes).digest()[:8], "big") < rate * 2**64
