"""Due deliveries are sent to the `webhooks` queue; their rows are the outbox.

Bounds keep receivers that hang from taking the places of the others: so many deliveries of an
endpoint are under way at most, and one while it fails; so many of a tenant, and two to endpoints of
its that fail. The rest stay rows, not messages, so that nobody's message waits behind them.
"""

from typing import Final
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction

from config.celery import app
from config.rows import rows_read
from jobs.outbox import WAKE_CHANNEL

BATCH: Final = 100
TENANT_FAILING: Final = 2
"""Deliveries under way at once to all failing endpoints of a tenant."""
DELIVER_TASK: Final = "workers.deliver"

_ANY_DUE = """
SELECT true FROM webhooks_delivery
WHERE status = 'pending' AND next_attempt_at <= clock_timestamp() LIMIT 1
"""

# While a delivery is under way its next attempt lies just beyond the time it can take, so that
# a lost message or a dead worker is made good by the same look-up. An endpoint that is not active
# has no bound: its deliveries are not sent, the worker only ends them. Tenants take turns.
_DUE = """
WITH endpoint AS (
    SELECT id, tenant_id, state, taken,
        sum(taken) OVER (PARTITION BY tenant_id, state) AS taken_by_tenant
    FROM webhooks_endpoint
    CROSS JOIN LATERAL (
        SELECT CASE WHEN NOT is_active THEN 'inactive'
                    WHEN failing_since IS NULL THEN 'answering' ELSE 'failing' END AS state
    ) AS states
    CROSS JOIN LATERAL (
        SELECT count(*) AS taken FROM webhooks_delivery
        WHERE endpoint_id = webhooks_endpoint.id AND status = 'pending' AND under_way
          AND next_attempt_at > clock_timestamp()
    ) AS places
), candidate AS (
    SELECT due.id, due.next_attempt_at, state, taken_by_tenant
        + row_number() OVER (PARTITION BY tenant_id, state ORDER BY due.next_attempt_at) AS place
    FROM endpoint
    CROSS JOIN LATERAL (
        SELECT id, next_attempt_at FROM webhooks_delivery
        WHERE endpoint_id = endpoint.id AND status = 'pending'
          AND next_attempt_at <= clock_timestamp()
        ORDER BY next_attempt_at
        LIMIT CASE state WHEN 'inactive' THEN %(batch)s
                         WHEN 'answering' THEN greatest(0, %(bound)s - taken)
                         ELSE greatest(0, 1 - taken) END
        FOR UPDATE SKIP LOCKED
    ) AS due
)
UPDATE webhooks_delivery
SET next_attempt_at = clock_timestamp() + make_interval(secs => %(margin)s),
    under_way = true, token = token + 1
WHERE id IN (
    SELECT id FROM candidate
    WHERE place <= CASE state WHEN 'inactive' THEN %(batch)s
                              WHEN 'answering' THEN %(tenant_bound)s
                              ELSE %(tenant_failing)s END
    ORDER BY place, next_attempt_at LIMIT %(batch)s
)
RETURNING id, token
"""

# A place has become free: does the tenant have something for it?
_WAKE = """
SELECT pg_notify(%(channel)s, '') FROM webhooks_endpoint freed
JOIN webhooks_endpoint endpoint ON endpoint.tenant_id = freed.tenant_id
JOIN webhooks_delivery delivery ON delivery.endpoint_id = endpoint.id
WHERE freed.id = %(endpoint)s
  AND delivery.status = 'pending' AND delivery.next_attempt_at <= clock_timestamp()
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
                "tenant_bound": environment.webhook_tenant_concurrency,
                "tenant_failing": TENANT_FAILING,
                "batch": BATCH,
            },
        )
        due = cursor.fetchall()
        for delivery_id, token in due:
            app.send_task(DELIVER_TASK, args=[str(delivery_id), token], queue="webhooks")
    return len(due)


def place_freed(*, endpoint_id: UUID) -> None:
    """Wake the dispatcher, once this transaction commits, if the tenant has more that is due."""
    with connection.cursor() as cursor:
        cursor.execute(_WAKE, {"channel": WAKE_CHANNEL, "endpoint": endpoint_id})
