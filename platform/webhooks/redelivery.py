"""Sending a delivery once more, because a person asks for it."""

from uuid import UUID

from django.db import transaction
from django.utils import timezone

from jobs.outbox import dispatcher_wake
from webhooks.errors import WebhookError
from webhooks.models import Delivery, DeliveryStatus


class EndpointInactive(WebhookError):
    """The endpoint takes no deliveries; nothing was changed."""


def delivery_send_again(*, delivery_id: UUID) -> None:
    """Make the delivery due now, whatever came of it before; its attempts go on being counted.

    The receiver tells a repetition by its `webhook-id`, which stays. Raises `EndpointInactive`.
    """
    with transaction.atomic():
        delivery = (
            Delivery.objects.select_for_update(of=("self",))
            .select_related("endpoint")
            .get(pk=delivery_id)
        )
        if not delivery.endpoint.is_active:
            raise EndpointInactive(f"{delivery.endpoint} is not active")
        delivery.status = DeliveryStatus.PENDING.value
        delivery.next_attempt_at, delivery.delivered_at = timezone.now(), None
        delivery.token += 1  # what is under way may not overwrite this
        delivery.save(update_fields=["status", "next_attempt_at", "delivered_at", "token"])
        dispatcher_wake()
