"""The addresses of API keys. Each looks only at the tenant of the key it is asked with."""

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from ninja import Router, Status
from ninja.pagination import paginate

from accounts import services
from accounts.api.schemas import KeyIn, KeyOut, KeyRotation, KeyWithSecret
from accounts.authentication import APIKeyAuth, request_key
from accounts.errors import BeyondOwnRights, KeyEnded, TooManyKeys
from accounts.granting import grant_check, rotation_check
from accounts.models import APIKey, Scope
from config.pages import CursorPages
from config.problems import Problem

router = Router()
READ = APIKeyAuth(Scope.KEYS_READ)
WRITE = APIKeyAuth(Scope.KEYS_WRITE)


@router.post("", auth=WRITE, response={201: KeyWithSecret}, summary="Make a key")
def create(request: HttpRequest, key: KeyIn, response: HttpResponse) -> Status[KeyWithSecret]:
    """The answer has the key, which is never shown again, and which no `Idempotency-Key` keeps:
    where the answer was lost, revoke the key and make another. It can do no more than yours."""
    giver = request_key(request)
    with _problems():
        grant_check(
            giver=giver,
            scopes=key.scopes,
            allowed_networks=key.allowed_networks,
            expires_at=key.expires_at,
        )
        row, secret = services.api_key_create(
            tenant=giver.tenant, made_by=giver, **key.model_dump()
        )
    shown = _with_secret(row, secret, response)
    response["Location"] = shown.urls.self
    return Status(201, shown)


@router.get("", auth=READ, response=list[KeyOut], summary="List keys, newest first")
@paginate(CursorPages)
def list_keys(request: HttpRequest) -> QuerySet[APIKey]:
    """Expired and revoked ones too. Go from page to page with `next` and `previous`."""
    return _keys(request)


@router.get("/{uuid:key_id}", auth=READ, response=KeyOut, summary="A key")
def get(request: HttpRequest, key_id: UUID) -> APIKey:
    return _key(request, key_id)


@router.post(
    "/{uuid:key_id}/rotate", auth=WRITE, response=KeyWithSecret, summary="Give a key a new secret"
)
def rotate(
    request: HttpRequest, key_id: UUID, rotation: KeyRotation, response: HttpResponse
) -> KeyWithSecret:
    """Both secrets are accepted until the overlap is over; id, rights and quotas stay. A key can
    rotate itself, and others that can do no more than it can."""
    key = _key(request, key_id)
    with _problems():
        rotation_check(giver=request_key(request), key=key)
        secret = services.api_key_rotate(key=key, overlap=rotation.overlap)
    return _with_secret(key, secret, response)


@router.post("/{uuid:key_id}/revoke", auth=WRITE, response=KeyOut, summary="Revoke a key")
def revoke(request: HttpRequest, key_id: UUID) -> APIKey:
    """Ends it at once, whatever it may do, and for good; repeating is harmless."""
    services.api_key_revoke(key=_key(request, key_id))
    return _key(request, key_id)


def _with_secret(row: APIKey, secret: str, response: HttpResponse) -> KeyWithSecret:
    row.key = secret  # type: ignore[attr-defined]  # of this answer, not of the row
    response["Cache-Control"] = "no-store"
    return KeyWithSecret.from_orm(row)


def _keys(request: HttpRequest) -> QuerySet[APIKey]:
    return APIKey.objects.filter(tenant=request_key(request).tenant_id)


def _key(request: HttpRequest, key_id: UUID) -> APIKey:
    return get_object_or_404(_keys(request), pk=key_id)


@contextmanager
def _problems() -> Iterator[None]:
    """The errors of this domain as problems."""
    try:
        yield
    except BeyondOwnRights as error:
        raise Problem(
            403, "beyond_own_rights", "A key can give no more than it has",
            f"Here {error}. Use a key that can do more, or ask an operator.",
            [(f"/{error.field}", str(error))] if error.field else [],
        ) from error  # fmt: skip
    except TooManyKeys as error:
        raise Problem(
            409, "too_many_keys", "There are too many keys",
            f"{str(error).capitalize()}. Revoke one first.",
        ) from error  # fmt: skip
    except KeyEnded as error:
        raise Problem(
            409, "key_ended", "The key has ended", "It is expired or revoked; make a new one."
        ) from error  # fmt: skip
