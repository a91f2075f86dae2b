"""Due deliveries are sent to the `webhooks` queue; their rows are the outbox."""

from typing import Final

from django.conf import settings
from django.db import connection, transaction

from config.celery import app
from config.rows import rows_read

BATCH: Final = 100
DELIVER_TASK: Final = "workers.deliver"

_ANY_DUE = """
SELECT true FROM webhooks_delivery
WHERE status = 'pending' AND next_attempt_at <= clock_timestamp() LIMIT 1
"""

# While a delivery is on its way its next attempt lies just beyond the time it can take, so that
# a lost message or a dead worker is made good by the same look-up.
_DUE = """
UPDATE webhooks_delivery
SET next_attempt_at = clock_timestamp() + make_interval(secs => %(margin)s), token = token + 1
WHERE id IN (SELECT id FROM webhooks_delivery
             WHERE status = 'pending' AND next_attempt_at <= clock_timestamp()
             ORDER BY next_attempt_at LIMIT %(batch)s FOR UPDATE SKIP LOCKED)
RETURNING id, token
"""


def deliveries_dispatch() -> int:
    """Send a message for every delivery that is due. How many.

    Raises kombu's `OperationalError`, with nothing lost, where the broker cannot be reached.
    """
    if not rows_read(bool, _ANY_DUE, None):
        return 0
    margin = 4 * settings.ENVIRONMENT.webhook_timeout_seconds
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(_DUE, {"margin": margin, "batch": BATCH})
            due = cursor.fetchall()
        for delivery_id, token in due:
            app.send_task(DELIVER_TASK, args=[str(delivery_id), token], queue="webhooks")
    return len(due)
