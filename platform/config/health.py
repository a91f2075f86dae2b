"""`/livez`: the process answers. `/readyz`: it can take jobs; and how its surroundings are."""

from datetime import timedelta

import redis
from django.conf import settings
from django.db import DatabaseError
from django.http import HttpRequest, JsonResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from jobs.models import Worker


@require_safe
@never_cache
def livez(_request: HttpRequest) -> JsonResponse:
    return JsonResponse({"status": "ok"})


@require_safe
@never_cache
def readyz(_request: HttpRequest) -> JsonResponse:
    """200 where jobs can be accepted: that needs only the database. Broker and workers are told
    beside it, workers by the rows their heartbeats write."""
    environment = settings.ENVIRONMENT
    silent = timezone.now() - timedelta(seconds=3 * environment.heartbeat_seconds + 5)
    try:
        workers = [
            {
                "name": worker.name,
                "queues": worker.queues,
                "ready": worker.ready and worker.seen_at >= silent,
                "running": worker.running,
                "load_seconds": worker.load_seconds,
                "seen_at": worker.seen_at,
            }
            for worker in Worker.objects.order_by("name")
        ]
    except DatabaseError:
        return JsonResponse({"status": "unavailable", "database": False}, status=503)
    served = {queue for worker in workers if worker["ready"] for queue in worker["queues"]}
    return JsonResponse(
        {
            "status": "ok",
            "database": True,
            "broker": _broker_answers(environment.redis_url),
            "queues": {queue: queue in served for queue in settings.QUEUES},
            "workers": workers,
        }
    )


def _broker_answers(url: str) -> bool:
    try:
        with redis.Redis.from_url(url, socket_timeout=2, socket_connect_timeout=2) as client:
            return bool(client.ping())
    except redis.RedisError:
        return False
