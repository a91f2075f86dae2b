"""Webhooks: one attempt at one delivery."""

from uuid import UUID

from webhooks.delivery import delivery_attempt


def event_deliver(*, delivery_id: str, token: int) -> None:
    """Try the delivery once; its row says when the next attempt is due, if any."""
    delivery_attempt(delivery_id=UUID(delivery_id), token=token)
