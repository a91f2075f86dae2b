"""API keys: made, recognised, rotated, revoked. The key itself is never stored."""

import hashlib
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import cache
from typing import Any, Final
from uuid import UUID

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from accounts.errors import InvalidKey, KeyEnded, TooManyKeys
from accounts.models import APIKey, Scope, Tenant
from config.rows import columns_of, row_of, rows_read

KEY_MARK: Final = "el"
LAST_USE_GRAIN: Final = timedelta(minutes=1)
"""`last_used_at` is written at most this often, so that reading does not cost a write."""
LONGEST_OVERLAP: Final = timedelta(days=7)
MOST_KEYS: Final = 100
"""Of one tenant, those that still let somebody in."""


def api_key_create(
    *,
    tenant: Tenant,
    name: str,
    scopes: Sequence[Scope],
    allowed_networks: Sequence[str] = (),
    expires_at: datetime | None = None,
    made_by: APIKey | None = None,
    requests_per_minute: int | None = None,
    jobs_in_flight: int | None = None,
    pictures_per_day: int | None = None,
    priority_limit: int | None = None,
) -> tuple[APIKey, str]:
    """Make a key for the tenant. The row, and the key to show once: `el_<prefix>_<secret>`.

    The secret is 256 random bits, so a plain SHA-256 of the key is safe to keep. Raises
    `TooManyKeys` where the tenant has `MOST_KEYS` valid ones.
    """
    prefix = secrets.token_hex(6)
    key = _key(prefix)
    with transaction.atomic():
        _room_check(tenant.id)
        row = APIKey.objects.create(
            tenant=tenant,
            made_by=made_by,
            name=name,
            prefix=prefix,
            digest=_digest(key),
            scopes=[scope.value for scope in scopes],
            allowed_networks=list(allowed_networks),
            expires_at=expires_at,
            requests_per_minute=requests_per_minute,
            jobs_in_flight=jobs_in_flight,
            pictures_per_day=pictures_per_day,
            priority_limit=priority_limit,
        )
    return row, key


def api_key_authenticate(key: str) -> APIKey:
    """The row of a valid key, with its tenant.

    Raises `InvalidKey`, which must be answered always the same, so that nothing is learned about
    why. The comparisons take the same time whatever is compared, and whether there is a row.
    """
    parts = key.split("_", 2)
    shaped = len(parts) == 3 and parts[0] == KEY_MARK and "\x00" not in key
    row = _of_prefix(parts[1]) if shaped else None
    digest, now = _digest(key), timezone.now()
    current = secrets.compare_digest(row.digest if row else "0" * 64, digest)
    previous = secrets.compare_digest((row and row.previous_digest) or "0" * 64, digest)
    if row is None or not (current or previous):
        raise InvalidKey("there is no such key", guessed=True)
    row.previous_secret_used = not current
    if row.revoked_at is not None:
        raise InvalidKey("the key was revoked")
    ends_at = api_key_ends_at(row)
    if ends_at is not None and ends_at <= now:
        raise InvalidKey("the key, or the secret before its current one, has expired")
    if not row.tenant.is_active:
        raise InvalidKey("the tenant is not active")
    return row


def api_key_used(*, key: APIKey) -> None:
    """Note that the key was used, at most once a minute, however many requests come at once."""
    now = timezone.now()
    if key.last_used_at is None or key.last_used_at < now - LAST_USE_GRAIN:
        APIKey.objects.filter(
            Q(last_used_at=None) | Q(last_used_at__lt=now - LAST_USE_GRAIN), pk=key.pk
        ).update(last_used_at=now)


def api_key_ends_at(key: APIKey) -> datetime | None:
    """When the secret that this request came with ends by itself, None: never."""
    ends = [key.expires_at, key.previous_digest_ends_at if key.previous_secret_used else None]
    return min((end for end in ends if end is not None), default=None)


def api_key_rotate(*, key: APIKey, overlap: timedelta) -> str:
    """Give the key a new secret; for as long as `overlap` the one it has now is accepted too.

    The whole new key, to show once: prefix, rights and quotas stay. With no overlap the old secret
    ends at once; one that was still ending is dropped. Raises `KeyEnded`.
    """
    new = _key(key.prefix)
    with transaction.atomic():
        locked = APIKey.objects.select_for_update().get(pk=key.pk)
        now = timezone.now()
        if locked.revoked_at or (locked.expires_at and locked.expires_at <= now):
            raise KeyEnded(f"{locked} is expired or revoked")
        key.previous_digest, key.previous_digest_ends_at = "", None
        if overlap:
            key.previous_digest = locked.digest
            key.previous_digest_ends_at = now + overlap
        key.digest = _digest(new)
        key.save(update_fields=["digest", "previous_digest", "previous_digest_ends_at"])
    return new


def api_key_revoke(*, key: APIKey) -> None:
    """End the key at once; a key that is revoked already keeps its time."""
    APIKey.objects.filter(pk=key.pk, revoked_at=None).update(revoked_at=timezone.now())


def _of_prefix(prefix: str) -> APIKey | None:
    """Every request asks for this."""
    rows = rows_read(_with_tenant, _sql_of_prefix(), [prefix])
    return rows[0] if rows else None


def _with_tenant(*values: Any) -> APIKey:
    own = len(APIKey._meta.concrete_fields)
    key, key.tenant = row_of(APIKey, values[:own]), row_of(Tenant, values[own:])
    return key


@cache
def _sql_of_prefix() -> str:
    return (
        f"SELECT {columns_of(APIKey, 'k')}, {columns_of(Tenant, 't')} "  # noqa: S608 - our names
        "FROM accounts_apikey k JOIN accounts_tenant t ON t.id = k.tenant_id WHERE k.prefix = %s"
    )


def _room_check(tenant_id: UUID) -> None:
    """The tenant's row is locked, so that two at once cannot both be the last."""
    Tenant.objects.select_for_update(no_key=True).get(pk=tenant_id)
    valid = APIKey.objects.filter(
        Q(expires_at=None) | Q(expires_at__gt=timezone.now()), tenant=tenant_id, revoked_at=None
    )
    if valid.count() >= MOST_KEYS:
        raise TooManyKeys(f"a tenant has at most {MOST_KEYS} valid keys")


def _key(prefix: str) -> str:
    return f"{KEY_MARK}_{prefix}_{secrets.token_urlsafe(32)}"


def _digest(key: str) -> str:
    return hashlib.sha256(key.encode(errors="surrogatepass")).hexdigest()
