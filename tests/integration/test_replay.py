"""A job run again through real workers comes out the same, byte for byte, or says what does not."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from accounts.models import Tenant
from factories import make_job, make_tenant
from jobs.models import Deck, Job
from waiting import assert_one_end, wait_for_end

pytestmark = pytest.mark.usefixtures("application", "committed")


def replayed(api: Client, job: Job) -> tuple[Job, Any]:
    """The replay of `job` once it has ended, and how it compares."""
    response = api.post(f"/api/v1/jobs/{job.id}/replay")
    assert response.status_code == 202, response.content
    again = wait_for_end(Job.objects.get(pk=response.json()["id"]))
    return again, api.get(f"/api/v1/jobs/{again.id}/replay").json()


def decks(tenant: Tenant) -> Any:
    return list(Deck.objects.filter(tenant=tenant).order_by("kind").values("kind", "cards"))


def test_pictures_draws_and_verdicts_are_the_same(client_of: Callable[..., Client]) -> None:
    tenant = make_tenant()
    api = client_of(tenant)
    job = wait_for_end(make_job(tenant, prompt="a doctor in an office", n=4))
    before, statistics = decks(tenant), api.get("/api/v1/jobs/statistics").json()["drawn"]
    again, comparison = replayed(api, job)
    assert_one_end(again, "succeeded")
    assert comparison["differences"] == []
    assert comparison["identical"] is True
    digests = [
        [picture.current.sha256 for picture in one.pictures.select_related("current")]
        for one in (job, again)
    ]
    assert digests[0] == digests[1]
    assert len(set(digests[0])) == 4
    assert decks(tenant) == before, "nothing was drawn"
    assert api.get("/api/v1/jobs/statistics").json()["drawn"] == statistics


def test_another_seed_is_seen_in_the_pictures_alone(client_of: Callable[..., Client]) -> None:
    """That the comparison can fail: the original is told to have had another seed."""
    tenant = make_tenant()
    api = client_of(tenant)
    job = wait_for_end(make_job(tenant, prompt="a sailboat on the sea", seed=7))
    Job.objects.filter(pk=job.pk).update(seed=8)
    _, comparison = replayed(api, job)
    assert comparison["identical"] is False
    found = {(d["picture"], d["what"]) for d in comparison["differences"]}
    assert (0, "sha256") in found
    assert {picture for picture, _ in found} == {0}
