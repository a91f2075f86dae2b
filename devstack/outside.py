"""Services that the environment names: used as they are, checked once, never stopped."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

import psycopg
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from devstack.errors import StackError
from devstack.object_store import REGION, s3_client

S3_REQUIRED = ("S3_BUCKET", "S3_ACCESS_KEY_ID", "S3_SECRET_ACCESS_KEY")
SECONDS = 5


def outside_postgres(environ: Mapping[str, str]) -> dict[str, str] | None:
    """The given database, if it answers; None if none is given."""
    url = environ.get("DATABASE_URL")
    if not url:
        return None
    if not url.startswith(("postgresql://", "postgres://")):
        raise StackError("DATABASE_URL must begin with postgresql://")
    try:
        with psycopg.connect(url, connect_timeout=SECONDS) as connection:
            connection.execute("select 1")
    except (psycopg.Error, UnicodeError) as error:
        reason = (str(error).strip().splitlines() or [type(error).__name__])[-1]
        raise StackError(
            f"DATABASE_URL ({_without_password(url)}) does not answer: {reason}"
        ) from None
    return {"DATABASE_URL": url}


def outside_redis(environ: Mapping[str, str]) -> dict[str, str] | None:
    """The given Redis, if it answers; None if none is given."""
    url = environ.get("REDIS_URL")
    if not url:
        return None
    try:
        with redis.Redis.from_url(
            url,
            socket_timeout=SECONDS,
            socket_connect_timeout=SECONDS,
            retry=Retry(NoBackoff(), 0),
        ) as client:
            client.ping()
    except (redis.RedisError, ValueError) as error:
        raise StackError(f"REDIS_URL ({_without_password(url)}) does not answer: {error}") from None
    return {"REDIS_URL": url}


def outside_s3(environ: Mapping[str, str]) -> dict[str, str] | None:
    """The given S3 server, if its bucket can be reached; None if none is given."""
    url = environ.get("S3_ENDPOINT_URL")
    if not url:
        return None
    missing = [name for name in S3_REQUIRED if not environ.get(name)]
    if missing:
        raise StackError(f"S3_ENDPOINT_URL is set, but not {', '.join(missing)}")
    settings = {"S3_ENDPOINT_URL": url, "S3_REGION": environ.get("S3_REGION") or REGION}
    settings |= {name: environ[name] for name in S3_REQUIRED}
    from botocore.exceptions import BotoCoreError, ClientError

    bucket = settings["S3_BUCKET"]
    try:
        s3_client(settings).head_bucket(Bucket=bucket)
    except ClientError as error:
        status = error.response["ResponseMetadata"]["HTTPStatusCode"]
        reason = {404: "there is no such bucket", 403: "the keys are refused"}.get(
            status, f"it answers {status}"
        )
        raise StackError(
            f"bucket {bucket} at {_without_password(url)} cannot be used: {reason}"
        ) from None
    except (BotoCoreError, ValueError) as error:
        raise StackError(
            f"S3_ENDPOINT_URL ({_without_password(url)}) does not answer: {error}"
        ) from None
    return settings


def _without_password(url: str) -> str:
    try:
        parts = urlsplit(url)
        return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"
    except ValueError:
        return "not a URL"
