"""Due deliveries are sent to the `webhooks` queue; their rows are the outbox.

A bound per endpoint keeps a receiver that hangs from taking the places of the others: so many of
its deliveries are under way at most, and one while it fails. The rest stay rows, not messages, so
that nobody's message waits behind them.
"""

from typing import Final
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction

from config.celery import app
from config.rows import rows_read
from jobs.outbox import WAKE_CHANNEL

BATCH: Final = 100
DELIVER_TASK: Final = "workers.deliver"

_ANY_DUE = """
SELECT true FROM webhooks_delivery
WHERE status = 'pending' AND next_attempt_at <= clock_timestamp() LIMIT 1
"""

# While a delivery is under way its next attempt lies just beyond the time it can take, so that
# a lost message or a dead worker is made good by the same look-up. An endpoint that is not active
# has no bound: its deliveries are not sent, the worker only ends them.
_DUE = """
UPDATE webhooks_delivery
SET next_attempt_at = clock_timestamp() + make_interval(secs => %(margin)s),
    under_way = true, token = token + 1
WHERE id IN (
    SELECT due.id FROM webhooks_endpoint endpoint
    CROSS JOIN LATERAL (
        SELECT count(*) AS taken FROM webhooks_delivery
        WHERE endpoint_id = endpoint.id AND status = 'pending' AND under_way
          AND next_attempt_at > clock_timestamp()
    ) AS places
    CROSS JOIN LATERAL (
        SELECT id, next_attempt_at FROM webhooks_delivery
        WHERE endpoint_id = endpoint.id AND status = 'pending'
          AND next_attempt_at <= clock_timestamp()
        ORDER BY next_attempt_at
        LIMIT CASE WHEN NOT endpoint.is_active THEN %(batch)s
                   WHEN endpoint.failing_since IS NULL THEN greatest(0, %(bound)s - taken)
                   ELSE greatest(0, 1 - taken) END
        FOR UPDATE SKIP LOCKED
    ) AS due
    ORDER BY due.next_attempt_at LIMIT %(batch)s
)
RETURNING id, token
"""

# A place has become free: is there something for it?
_WAKE = """
SELECT pg_notify(%(channel)s, '') FROM webhooks_delivery
WHERE endpoint_id = %(endpoint)s AND status = 'pending' AND next_attempt_at <= clock_timestamp()
LIMIT 1
"""


def deliveries_dispatch() -> int:
    """Send a message for every delivery that is due and has a place at its endpoint. How many.

    Raises kombu's `OperationalError`, with nothing lost, where the broker cannot be reached.
    """
    if not rows_read(bool, _ANY_DUE, None):
        return 0
    environment = settings.ENVIRONMENT
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(hashtext('deliveries'))")
        if not cursor.fetchone()[0]:  # another dispatcher sends: two at once would pass the bound
            return 0
        cursor.execute(
            _DUE,
            {
                "margin": 4 * environment.webhook_timeout_seconds,
                "bound": environment.webhook_endpoint_concurrency,
                "batch": BATCH,
            },
        )
        due = cursor.fetchall()
        for delivery_id, token in due:
            app.send_task(DELIVER_TASK, args=[str(delivery_id), token], queue="webhooks")
    return len(due)


def place_freed(*, endpoint_id: UUID) -> None:
    """Wake the dispatcher, once this transaction commits, if the endpoint has more that is due."""
    with connection.cursor() as cursor:
        cursor.execute(_WAKE, {"channel": WAKE_CHANNEL, "endpoint": endpoint_id})
