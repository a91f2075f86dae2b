"""API keys: made, recognised, revoked. The key itself is never stored."""

import hashlib
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from django.utils import timezone

from accounts.errors import InvalidKey
from accounts.models import APIKey, Scope, Tenant

KEY_MARK: Final = "el"
LAST_USE_GRAIN: Final = timedelta(minutes=1)
"""`last_used_at` is written at most this often, so that reading does not cost a write."""


def api_key_create(
    *,
    tenant: Tenant,
    name: str,
    scopes: Sequence[Scope],
    expires_at: datetime | None = None,
    requests_per_minute: int | None = None,
    jobs_in_flight: int | None = None,
    pictures_per_day: int | None = None,
    priority_limit: int | None = None,
) -> tuple[APIKey, str]:
    """Make a key for the tenant. The row, and the key to show once: `el_<prefix>_<secret>`.

    The secret is 256 random bits, so a plain SHA-256 of the key is safe to keep.
    """
    prefix = secrets.token_hex(6)
    key = f"{KEY_MARK}_{prefix}_{secrets.token_urlsafe(32)}"
    row = APIKey.objects.create(
        tenant=tenant,
        name=name,
        prefix=prefix,
        digest=_digest(key),
        scopes=[scope.value for scope in scopes],
        expires_at=expires_at,
        requests_per_minute=requests_per_minute,
        jobs_in_flight=jobs_in_flight,
        pictures_per_day=pictures_per_day,
        priority_limit=priority_limit,
    )
    return row, key


def api_key_authenticate(key: str) -> APIKey:
    """The row of a valid key, with its tenant.

    Raises `InvalidKey`, always the same, so that nothing is learned about why.
    """
    parts = key.split("_", 2)
    row = (
        APIKey.objects.select_related("tenant").filter(prefix=parts[1]).first()
        if len(parts) == 3 and parts[0] == KEY_MARK and "\x00" not in key
        else None
    )
    matches = secrets.compare_digest(row.digest if row else "0" * 64, _digest(key))
    now = timezone.now()
    if (
        row is None
        or not matches
        or row.revoked_at is not None
        or (row.expires_at is not None and row.expires_at <= now)
        or not row.tenant.is_active
    ):
        raise InvalidKey
    if row.last_used_at is None or row.last_used_at < now - LAST_USE_GRAIN:
        APIKey.objects.filter(pk=row.pk).update(last_used_at=now)
    return row


def api_key_revoke(*, key: APIKey) -> None:
    """End the key at once; a key that is revoked already keeps its time."""
    APIKey.objects.filter(pk=key.pk, revoked_at=None).update(revoked_at=timezone.now())


def _digest(key: str) -> str:
    return hashlib.sha256(key.encode(errors="surrogatepass")).hexdigest()
