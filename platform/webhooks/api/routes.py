"""The addresses of webhook endpoints. Each looks only at the tenant of the key."""

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from ninja import Query, Router, Status
from ninja.pagination import paginate

from accounts.authentication import APIKeyAuth, request_key
from accounts.models import Scope
from config.pages import CursorPages
from config.problems import Problem
from webhooks import endpoints
from webhooks.api.schemas import (
    DeliveryFilters,
    DeliveryOut,
    DeliveryWithLog,
    EndpointChanges,
    EndpointIn,
    EndpointOut,
    EndpointWithSecret,
    Replay,
    Replayed,
    Rotation,
    endpoint_urls,
)
from webhooks.errors import EndpointInactive, TooManyEndpoints, WebhookURLRefused
from webhooks.models import Delivery, Endpoint
from webhooks.redelivery import deliveries_replay, endpoint_replay

router = Router()
READ = APIKeyAuth(Scope.WEBHOOKS_READ)
WRITE = APIKeyAuth(Scope.WEBHOOKS_WRITE)


@router.post("", auth=WRITE, response={201: EndpointWithSecret}, summary="Create an endpoint")
def create(request: HttpRequest, endpoint: EndpointIn, response: HttpResponse) -> Status[Endpoint]:
    """The answer has the signing secret, which is never shown again."""
    with _problems():
        created = endpoints.endpoint_create(
            tenant_id=request_key(request).tenant_id,
            url=endpoint.url,
            event_types=endpoint.event_types,
            description=endpoint.description,
        )
    response["Location"] = endpoint_urls(created.id).self
    response["Cache-Control"] = "no-store"
    return Status(201, created)


@router.get("", auth=READ, response=list[EndpointOut], summary="List endpoints, newest first")
@paginate(CursorPages)
def list_endpoints(request: HttpRequest) -> QuerySet[Endpoint]:
    """Active and inactive ones. Go from page to page with `next` and `previous`."""
    return _endpoints(request)


@router.get("/{uuid:endpoint_id}", auth=READ, response=EndpointOut, summary="An endpoint")
def get(request: HttpRequest, endpoint_id: UUID) -> Endpoint:
    return _endpoint(request, endpoint_id)


@router.patch("/{uuid:endpoint_id}", auth=WRITE, response=EndpointOut, summary="Change an endpoint")
def change(request: HttpRequest, endpoint_id: UUID, changes: EndpointChanges) -> Endpoint:
    """What is left out stays. Inactive endpoints are sent nothing; what fails meanwhile, and what
    happens meanwhile, can be replayed. Making it active again forgets that it failed."""
    endpoint = _endpoint(request, endpoint_id)
    given = changes.model_dump(exclude_unset=True)
    active = given.pop("is_active", None)
    with _problems(), transaction.atomic():
        if given:
            endpoints.endpoint_update(endpoint=endpoint, **given)
        if active is True:
            endpoints.endpoint_enable(endpoint=endpoint)
        elif active is False:
            endpoints.endpoint_disable(endpoint=endpoint, reason="disabled through the API")
    return _endpoint(request, endpoint_id)


@router.post(
    "/{uuid:endpoint_id}/rotate",
    auth=WRITE,
    response=EndpointWithSecret,
    summary="Give an endpoint a new secret",
)
def rotate(
    request: HttpRequest, endpoint_id: UUID, rotation: Rotation, response: HttpResponse
) -> Endpoint:
    """Both secrets sign until the overlap is over, so that the receiver can change over in peace.
    The answer has the new one, which is never shown again."""
    endpoint = _endpoint(request, endpoint_id)
    endpoints.endpoint_rotate(endpoint=endpoint, overlap=rotation.overlap)
    response["Cache-Control"] = "no-store"
    return endpoint


@router.post(
    "/{uuid:endpoint_id}/test",
    auth=WRITE,
    response={202: DeliveryOut},
    summary="Send a test event",
)
def test(request: HttpRequest, endpoint_id: UUID) -> Status[Delivery]:
    """An `endpoint.test`, whatever types the endpoint wants; look at its delivery for the rest."""
    with _problems():
        return Status(202, endpoints.endpoint_test(endpoint=_endpoint(request, endpoint_id)))


@router.get(
    "/{uuid:endpoint_id}/deliveries",
    auth=READ,
    response=list[DeliveryOut],
    summary="List deliveries, newest first",
)
@paginate(CursorPages)
def list_deliveries(
    request: HttpRequest, endpoint_id: UUID, filters: Query[DeliveryFilters]
) -> QuerySet[Delivery]:
    """Go from page to page with `next` and `previous`."""
    return filters.filter(_deliveries(request, endpoint_id))


@router.get(
    "/{uuid:endpoint_id}/deliveries/{uuid:delivery_id}",
    auth=READ,
    response=DeliveryWithLog,
    summary="A delivery and its attempts",
)
def get_delivery(request: HttpRequest, endpoint_id: UUID, delivery_id: UUID) -> Delivery:
    return get_object_or_404(_deliveries(request, endpoint_id), pk=delivery_id)


@router.post(
    "/{uuid:endpoint_id}/deliveries/{uuid:delivery_id}/replay",
    auth=WRITE,
    response={202: DeliveryOut},
    summary="Send a delivery once more",
)
def replay_delivery(request: HttpRequest, endpoint_id: UUID, delivery_id: UUID) -> Status[Delivery]:
    """Due at once, under the same `webhook-id`. One that is being sent anyway stays as it is."""
    own = _deliveries(request, endpoint_id)
    delivery = get_object_or_404(own, pk=delivery_id)
    if not delivery.endpoint.is_active:
        raise _inactive()
    deliveries_replay(deliveries=own.filter(pk=delivery_id))
    return Status(202, own.get(pk=delivery_id))


@router.post(
    "/{uuid:endpoint_id}/replay",
    auth=WRITE,
    response={202: Replayed},
    summary="Send events once more",
)
def replay(request: HttpRequest, endpoint_id: UUID, replay: Replay) -> Status[Replayed]:
    """All that failed, or all of a time range, with what the endpoint missed while it was
    disabled. Each event is sent once, under its own `webhook-id`, however often this is asked."""
    with _problems():
        replayed = endpoint_replay(
            endpoint=_endpoint(request, endpoint_id),
            since=replay.since,
            until=replay.until,
            only_failed=replay.only_failed,
        )
    return Status(202, Replayed(replayed=replayed))


@contextmanager
def _problems() -> Iterator[None]:
    """The errors of this domain as problems."""
    try:
        yield
    except WebhookURLRefused as refusal:
        raise Problem(
            422, "invalid_request", "The request is not valid",
            "Webhooks may not be sent to this URL; give a public https address.",
            [("/url", str(refusal))],
        ) from refusal  # fmt: skip
    except TooManyEndpoints as error:
        raise Problem(
            409, "too_many_endpoints", "There are too many endpoints",
            f"{str(error).capitalize()}. Disable one first: PATCH it with `is_active` false.",
        ) from error  # fmt: skip
    except EndpointInactive as error:
        raise _inactive() from error


def _inactive() -> Problem:
    return Problem(
        409, "endpoint_inactive", "The endpoint is not active",
        "PATCH it with `is_active` true, then repeat this.",
    )  # fmt: skip


def _endpoints(request: HttpRequest) -> QuerySet[Endpoint]:
    return Endpoint.objects.filter(tenant=request_key(request).tenant_id)


def _endpoint(request: HttpRequest, endpoint_id: UUID) -> Endpoint:
    return get_object_or_404(_endpoints(request), pk=endpoint_id)


def _deliveries(request: HttpRequest, endpoint_id: UUID) -> QuerySet[Delivery]:
    endpoint = _endpoint(request, endpoint_id)
    return Delivery.objects.filter(endpoint=endpoint).select_related("event", "endpoint")
