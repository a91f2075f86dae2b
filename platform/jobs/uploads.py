"""Pictures that come with a request: in quarantine before its transaction begins, without the
database connection of the request, so that none waits for the store; and gone again where no job
came of it."""

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from uuid import UUID

from django.db import DatabaseError, close_old_connections, connection

from config.identifiers import uuid7
from jobs.models import Job, SentPicture
from jobs.storage import StorageError, object_delete, sent_put

logger = logging.getLogger(__name__)

Sent = tuple[SentPicture.Role, bytes | str]
"""What it is for, and its bytes or the address to fetch it from."""


@dataclass(frozen=True, slots=True)
class Upload:
    """The id of a job that is to be written, and rows, not written yet, of what came with it."""

    job_id: UUID
    sent: tuple[SentPicture, ...]


def connection_release() -> None:
    """Give the database connection of this thread back to the pool while the store is asked. It
    comes again with the next query; one with a transaction stays."""
    if not connection.in_atomic_block:
        close_old_connections()


@contextmanager
def uploaded(sent: Sequence[Sent]) -> Iterator[Upload]:
    """Store what was sent. At the end all of it is deleted unless the job was written: it was
    refused, or an earlier answer was given again. What cannot be deleted then is swept later.

    Raises `StorageError`.
    """
    if any(isinstance(content, bytes) for _, content in sent):
        connection_release()  # who asks was recognised with one
    job_id = uuid7()
    rows: list[SentPicture] = []
    try:
        for index, (role, content) in enumerate(sent):
            rows.append(_stored(job_id, index, role, content))
        yield Upload(job_id, tuple(rows))
    finally:
        _forget(job_id, [row.key for row in rows if row.key])


def _stored(job_id: UUID, index: int, role: SentPicture.Role, content: bytes | str) -> SentPicture:
    if isinstance(content, str):
        return SentPicture(job_id=job_id, index=index, role=role, url=content)
    stored = sent_put(job_id=job_id, index=index, content=content)
    return SentPicture(
        job_id=job_id, index=index, role=role,
        key=stored.key, sha256=stored.sha256, size=stored.size,
    )  # fmt: skip


def _forget(job_id: UUID, keys: Sequence[str]) -> None:
    try:
        if keys and not Job.objects.filter(pk=job_id).exists():
            for key in keys:
                object_delete(key)
    except (DatabaseError, StorageError) as error:
        logger.warning("left to the sweep, of a job that was not written: %s: %s", keys, error)
