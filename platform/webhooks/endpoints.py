"""Endpoints: made, changed, switched on and off, their secrets rotated."""

import base64
import secrets
from collections.abc import Sequence
from datetime import timedelta
from typing import Final
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone

from accounts.models import Tenant
from config.sealing import SealBroken, is_current, seal, unseal
from jobs.outbox import dispatcher_wake
from webhooks.addresses import url_check
from webhooks.errors import EndpointInactive, TooManyEndpoints
from webhooks.models import Delivery, Endpoint, EventType, secret_purpose
from webhooks.services import event_record, event_test

MOST_ENDPOINTS: Final = 20
"""Of one tenant: each may hold a thread of the webhooks workers for the length of a time-out."""
LONGEST_OVERLAP: Final = timedelta(days=7)


def endpoint_create(
    *,
    tenant_id: UUID,
    url: str,
    event_types: Sequence[EventType] = (),
    description: str = "",
) -> Endpoint:
    """Register `url` with a new signing secret (`whsec_` and 32 random bytes, base64).

    Raises `WebhookURLRefused` where webhooks may not be sent to `url`, `TooManyEndpoints` where
    the tenant has `MOST_ENDPOINTS` active ones.
    """
    url_check(url)
    with transaction.atomic():
        _room_check(tenant_id)
        endpoint = Endpoint(
            tenant_id=tenant_id,
            url=url,
            description=description,
            event_types=[event_type.value for event_type in event_types],
        )
        endpoint.secret = _secret()
        endpoint.save(force_insert=True)
    return endpoint


def endpoint_update(
    *,
    endpoint: Endpoint,
    url: str | None = None,
    event_types: Sequence[EventType] | None = None,
    description: str | None = None,
) -> None:
    """Change what is not None; deliveries that wait go to the new URL.

    Raises `WebhookURLRefused` where webhooks may not be sent to `url`.
    """
    if url is not None:
        url_check(url)
        endpoint.url = url
    if event_types is not None:
        endpoint.event_types = [event_type.value for event_type in event_types]
    if description is not None:
        endpoint.description = description
    endpoint.save(update_fields=["url", "event_types", "description"])


def endpoint_enable(*, endpoint: Endpoint) -> None:
    """Let events be sent to it again, with a clean record; one that is active stays as it is.

    Raises `TooManyEndpoints`.
    """
    with transaction.atomic():
        _room_check(endpoint.tenant_id, but=endpoint.id)
        Endpoint.objects.filter(pk=endpoint.pk, is_active=False).update(
            is_active=True, disabled_reason="", failing_since=None
        )


def endpoint_disable(*, endpoint: Endpoint, reason: str) -> None:
    """Send nothing more: deliveries that wait fail when they come due, and can be replayed."""
    Endpoint.objects.filter(pk=endpoint.pk, is_active=True).update(
        is_active=False, disabled_reason=reason
    )


def endpoint_rotate(*, endpoint: Endpoint, overlap: timedelta) -> None:
    """Give it a new secret; for as long as `overlap` the one it has now signs beside it.

    With no overlap the old secret ends at once. A secret that was still ending is dropped.
    """
    with transaction.atomic():
        locked = Endpoint.objects.select_for_update().get(pk=endpoint.pk)
        endpoint.sealed_previous_secret, endpoint.previous_secret_ends_at = "", None
        if overlap:
            endpoint.sealed_previous_secret = locked.sealed_secret
            endpoint.previous_secret_ends_at = timezone.now() + overlap
        endpoint.secret = _secret()
        endpoint.save(
            update_fields=["sealed_secret", "sealed_previous_secret", "previous_secret_ends_at"]
        )


def endpoint_test(*, endpoint: Endpoint) -> Delivery:
    """Send it an `endpoint.test`. Raises `EndpointInactive`."""
    with transaction.atomic():
        active = Endpoint.objects.select_for_update().get(pk=endpoint.pk).is_active
        if not active:
            raise EndpointInactive(f"{endpoint} is not active")
        delivery = event_test(endpoint=endpoint)
        dispatcher_wake()
    return delivery


def endpoint_succeeded(*, endpoint_id: UUID) -> None:
    """An attempt was accepted: whatever failed before is forgotten."""
    Endpoint.objects.filter(pk=endpoint_id, failing_since__isnull=False).update(failing_since=None)


def endpoint_failed(*, endpoint_id: UUID, gone: bool) -> None:
    """An attempt failed. Disables the endpoint where the receiver is gone or has been failing for
    `WEBHOOK_DISABLE_SECONDS`, and tells the tenant's other endpoints.

    To be called in the transaction that records the attempt.
    """
    own = Endpoint.objects.filter(pk=endpoint_id, is_active=True)
    own.filter(failing_since=None).update(failing_since=Now())
    days = timedelta(seconds=settings.ENVIRONMENT.webhook_disable_seconds)
    if gone:
        reason, ending = "the receiver answered 410 Gone", own
    else:
        reason = "every attempt failed for too long"
        ending = own.filter(failing_since__lt=timezone.now() - days)
    if ending.update(is_active=False, disabled_reason=reason):
        _tell_disabled(Endpoint.objects.get(pk=endpoint_id))


def previous_secrets_forget() -> int:
    """Delete secrets whose overlap is over; they sign nothing any more. How many."""
    return Endpoint.objects.filter(
        ~Q(sealed_previous_secret=""), previous_secret_ends_at__lte=timezone.now()
    ).update(sealed_previous_secret="", previous_secret_ends_at=None)


def secrets_reseal() -> tuple[int, list[Endpoint]]:
    """Seal the secrets of all endpoints under the present key: of how many endpoints another key
    had sealed one, and the endpoints with one that no key opens."""
    resealed, broken = 0, []
    for endpoint_id in Endpoint.objects.order_by("pk").values_list("pk", flat=True):
        with transaction.atomic():
            endpoint = Endpoint.objects.select_for_update().get(pk=endpoint_id)
            try:
                resealed += _seal_again(endpoint)
            except SealBroken:
                broken.append(endpoint)
    return resealed, broken


def _seal_again(endpoint: Endpoint) -> bool:
    purpose, old = secret_purpose(endpoint.pk), []
    for field in ("sealed_secret", "sealed_previous_secret"):
        sealed = getattr(endpoint, field)
        if sealed and not is_current(sealed, purpose=purpose):
            setattr(endpoint, field, seal(unseal(sealed, purpose=purpose), purpose=purpose))
            old.append(field)
    endpoint.save(update_fields=old)
    return bool(old)


def _tell_disabled(endpoint: Endpoint) -> None:
    event_record(
        tenant_id=endpoint.tenant_id,
        job_id=None,
        type=EventType.ENDPOINT_DISABLED,
        sequence=0,
        data={
            "id": str(endpoint.id),
            "url": endpoint.url,
            "description": endpoint.description,
            "reason": endpoint.disabled_reason,
            "failing_since": endpoint.failing_since and endpoint.failing_since.isoformat(),
        },
    )
    dispatcher_wake()


def _room_check(tenant_id: UUID, *, but: UUID | None = None) -> None:
    """The tenant's row is locked, so that two at once cannot both be the last."""
    Tenant.objects.select_for_update(no_key=True).get(pk=tenant_id)
    others = Endpoint.objects.filter(tenant=tenant_id, is_active=True)
    if but is not None:
        others = others.exclude(pk=but)
    if others.count() >= MOST_ENDPOINTS:
        raise TooManyEndpoints(f"a tenant has at most {MOST_ENDPOINTS} active endpoints")


def _secret() -> str:
    return "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()
