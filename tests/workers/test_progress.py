"""Progress of a painting is told at intervals, however many steps there are."""

import json
import time

import pytest
from django.conf import settings
from redis import Redis

from factories import make_job
from jobs.claims import ClaimLost
from jobs.models import Picture
from jobs.progress import PROGRESS_CHANNEL
from jobs.recording.painting import pictures_to_paint
from jobs.services import job_cancel
from review_cases import align, claimed
from workers import generate

pytestmark = [pytest.mark.services, pytest.mark.django_db]

STEPS = 2000


def test_steps_are_told_at_intervals_and_none_is_told_of_a_canceled_job(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(generate, "PROGRESS_SECONDS", 0.2)
    job = align(make_job())
    claim = claimed(job, "generate")
    (picture,) = pictures_to_paint([claim])
    told = generate._Progress([generate._Order(claim, picture)])
    with Redis.from_url(settings.ENVIRONMENT.redis_url) as redis, redis.pubsub() as channel:
        channel.subscribe(PROGRESS_CHANNEL)
        began = time.monotonic()
        for step in range(1, STEPS + 1):
            told(step, STEPS)
            time.sleep(0.0005)
        took = time.monotonic() - began
        heard = list(iter(lambda: channel.get_message(timeout=0.5), None))
    sent = [json.loads(one["data"]) for one in heard if one["type"] == "message"]
    mine = [one for one in sent if str(job.id) in one["jobs"]]
    assert 2 <= len(mine) <= took / 0.2
    steps = [one["step"] for one in mine]
    assert steps == sorted(steps)
    assert Picture.objects.get(pk=picture.picture_id).steps_done == steps[-1]

    job_cancel(job_id=job.id)
    time.sleep(0.2)
    with pytest.raises(ClaimLost):
        told(STEPS, STEPS)
