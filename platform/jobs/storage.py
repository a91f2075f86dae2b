"""The object store: raw pictures under `quarantine/`, released copies under `released/`.

Keys name their content by SHA-256, so that writing twice is harmless and a late writer cannot
replace what was judged. Only keys under `released/` are ever presigned.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING
from uuid import UUID

import boto3
from botocore.client import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    EndpointConnectionError,
    HTTPClientError,
)
from django.conf import settings

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

QUARANTINE = "quarantine/"
RELEASED = "released/"
_MISSING = {"NoSuchKey", "404", "NotFound"}


class StorageError(Exception):
    """The object store did not do what was asked."""


class StorageUnavailable(StorageError):
    """It could not be reached, or answered that it is unable for now."""


class ObjectMissing(StorageError):
    """There is no such object."""


@dataclass(frozen=True, slots=True)
class StoredObject:
    """An object as written: `size` in bytes, `sha256` in hex."""

    key: str
    sha256: str
    size: int


def quarantine_put(*, job_id: UUID, picture_id: UUID, round: int, png: bytes) -> StoredObject:
    """Store a raw picture; its key carries job, picture, round and digest."""
    digest = hashlib.sha256(png).hexdigest()
    key = f"{QUARANTINE}{job_id}/{picture_id}/{round}-{digest}.png"
    _call("put_object", Key=key, Body=png, ContentType="image/png", CacheControl="no-store")
    return StoredObject(key=key, sha256=digest, size=len(png))


def sent_put(*, job_id: UUID, index: int, content: bytes) -> StoredObject:
    """Store a picture as it was sent, in quarantine; its key carries job, place and digest."""
    digest = hashlib.sha256(content).hexdigest()
    key = f"{QUARANTINE}{job_id}/sent/{index}-{digest}"
    _call(
        "put_object",
        Key=key,
        Body=content,
        ContentType="application/octet-stream",
        CacheControl="no-store",
    )
    return StoredObject(key=key, sha256=digest, size=len(content))


def object_get(key: str, *, sha256: str) -> bytes:
    """The object's bytes. Raises `StorageError` where they are not those of the digest."""
    body = _call("get_object", Key=key)["Body"].read()
    if hashlib.sha256(body).hexdigest() != sha256:
        raise StorageError(f"{key} is not what was stored: its digest differs")
    return bytes(body)


def release_copy(*, source: str, job_id: UUID, picture_id: UUID, sha256: str) -> str:
    """Copy a quarantined object to its released key, and return that key."""
    key = f"{RELEASED}{job_id}/{picture_id}/{sha256}.png"
    _call(
        "copy_object",
        Key=key,
        CopySource={"Bucket": settings.ENVIRONMENT.s3_bucket, "Key": source},
        MetadataDirective="REPLACE",
        ContentType="image/png",
    )
    return key


def released_url(key: str) -> str:
    """A presigned link to a released object.

    Raises `ValueError` for any other key: what is in quarantine is never linked.
    """
    if not key.startswith(RELEASED):
        raise ValueError("only released pictures are presigned")
    environment = settings.ENVIRONMENT
    url: str = _client(environment.s3_public_endpoint_url).generate_presigned_url(
        "get_object",
        Params={"Bucket": environment.s3_bucket, "Key": key},
        ExpiresIn=environment.presigned_url_seconds,
    )
    return url


def objects_list(prefix: str) -> Iterator[tuple[str, datetime]]:
    """Key and last change of every object under `prefix`."""
    pages = _client().get_paginator("list_objects_v2")
    try:
        for page in pages.paginate(Bucket=settings.ENVIRONMENT.s3_bucket, Prefix=prefix):
            for item in page.get("Contents", []):
                yield item["Key"], item["LastModified"]
    except (BotoCoreError, ClientError) as error:
        raise _translated(error) from error


def object_delete(key: str) -> None:
    """Delete the object; one that is gone already is no error."""
    _call("delete_object", Key=key)


@cache
def _client(endpoint: str | None = None) -> "S3Client":
    environment = settings.ENVIRONMENT
    return boto3.session.Session().client(
        "s3",
        endpoint_url=endpoint or environment.s3_endpoint_url,
        aws_access_key_id=environment.s3_access_key_id,
        aws_secret_access_key=environment.s3_secret_access_key,
        region_name=environment.s3_region,
        config=Config(
            signature_version="s3v4",
            connect_timeout=5,
            read_timeout=30,
            retries={"max_attempts": 3, "mode": "standard"},
            s3={"addressing_style": "path"},
        ),
    )


def _call(operation: str, **parameters: object) -> dict:  # type: ignore[type-arg]
    try:
        answer: dict = getattr(_client(), operation)(  # type: ignore[type-arg]
            Bucket=settings.ENVIRONMENT.s3_bucket, **parameters
        )
    except (BotoCoreError, ClientError) as error:
        raise _translated(error) from error
    return answer


def _translated(error: BotoCoreError | ClientError) -> StorageError:
    if not isinstance(error, ClientError):
        away = isinstance(error, (HTTPClientError, EndpointConnectionError))
        return StorageUnavailable(str(error)) if away else StorageError(str(error))
    code = error.response.get("Error", {}).get("Code", "")
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    if code in _MISSING:
        return ObjectMissing(str(error))
    return StorageUnavailable(str(error)) if status >= 500 else StorageError(str(error))
