"""The object store: what is there is what was stored, raw pictures are never linked, orphans go."""

import time
from datetime import timedelta

import httpx
import pytest
from django.conf import settings
from pytest_django import Settings

from devstack.stack import Stack
from factories import make_job
from jobs import storage
from jobs.models import Job
from jobs.storage import (
    ObjectMissing,
    StorageError,
    StorageUnavailable,
    object_get,
    quarantine_put,
    release_copy,
    released_url,
)
from jobs.sweep import orphans_sweep

pytestmark = [pytest.mark.services, pytest.mark.django_db]

BYTES = b"some bytes"


def stored(job: Job, content: bytes = BYTES) -> storage.StoredObject:
    return quarantine_put(job_id=job.id, picture_id=job.pictures.get().id, round=1, png=content)


def address(key: str) -> str:
    return f"{settings.ENVIRONMENT.s3_endpoint_url}/{settings.ENVIRONMENT.s3_bucket}/{key}"


def test_what_is_read_is_what_was_stored() -> None:
    kept = stored(make_job())
    assert object_get(kept.key, sha256=kept.sha256) == BYTES
    with pytest.raises(StorageError, match="digest differs"):
        object_get(kept.key, sha256="0" * 64)
    with pytest.raises(ObjectMissing):
        object_get("quarantine/nowhere", sha256=kept.sha256)


def test_a_raw_picture_cannot_be_fetched_and_is_never_linked() -> None:
    kept = stored(make_job())
    assert httpx.get(address(kept.key)).status_code == 403
    with pytest.raises(ValueError, match="only released"):
        released_url(kept.key)


def test_a_link_ends(settings: Settings) -> None:
    settings.ENVIRONMENT = settings.ENVIRONMENT.model_copy(update={"presigned_url_seconds": 1})
    job = make_job()
    kept = stored(job)
    key = release_copy(
        source=kept.key, job_id=job.id, picture_id=job.pictures.get().id, sha256=kept.sha256
    )
    url = released_url(key)
    assert httpx.get(url).content == BYTES
    assert httpx.get(address(key)).status_code == 403, "not without its signature"
    time.sleep(2.1)
    assert httpx.get(url).status_code == 403


def test_a_store_that_is_away_is_told_apart_from_a_refusal(
    stack: Stack, monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    job = make_job()
    storage._client.cache_clear()
    settings.ENVIRONMENT = settings.ENVIRONMENT.model_copy(
        update={"s3_endpoint_url": "http://127.0.0.1:1"}
    )
    with pytest.raises(StorageUnavailable):
        stored(job)
    storage._client.cache_clear()
    settings.ENVIRONMENT = settings.ENVIRONMENT.model_copy(
        update={
            "s3_endpoint_url": stack.environment["S3_ENDPOINT_URL"],
            "s3_secret_access_key": "wrong",
        }
    )
    with pytest.raises(StorageError) as refusal:
        stored(job)
    assert not isinstance(refusal.value, StorageUnavailable)
    storage._client.cache_clear()


def test_orphans_are_swept_and_nothing_else() -> None:
    orphans_sweep(grace=timedelta(0))  # what earlier tests left
    job = make_job()
    picture = job.pictures.get()
    known, orphan = stored(job), stored(job, b"nobody knows me")
    picture.versions.create(
        round=1, kind="painted", prompt="p", key=known.key, sha256=known.sha256, size=known.size
    )
    assert orphans_sweep() == 0, "a young orphan may be on its way into a row"
    time.sleep(1.1)
    assert orphans_sweep(grace=timedelta(seconds=1)) == 1
    assert object_get(known.key, sha256=known.sha256) == BYTES
    with pytest.raises(ObjectMissing):
        object_get(orphan.key, sha256=orphan.sha256)
