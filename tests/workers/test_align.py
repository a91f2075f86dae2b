"""Which aligners a text worker asks, and what a replay draws."""

from typing import Any

import pytest
from django.utils import timezone

from accounts.models import Scope
from accounts.services import api_key_authenticate, api_key_create
from ethical_lens.policy import AlignerFailure, Policy
from ethical_lens.text.aligner import AlignmentError, PromptRefused
from ethical_lens.text.choose import scrutinise_with
from factories import make_job
from jobs.models import Deck, Job
from jobs.replays import job_replay
from review_cases import claimed
from workers.align import _aligners, jobs_align
from workers.loading import aligner


def test_an_aligner_that_is_not_set_up_leaves_the_others(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.delenv("LLM_BASE_URL", raising=False)
    aligner.cache_clear()

    found = _aligners(Policy(aligners=("llm", "rules")))

    assert [one.name for one in found] == ["llm", "rules"]
    assert "LLM_BASE_URL" in caplog.text
    _, judge = scrutinise_with(found, "a doctor", "", Policy())
    assert judge.name == "rules"


def test_an_aligner_that_cannot_be_had_fails_as_the_policy_says() -> None:
    found = _aligners(Policy(aligners=("oracle",)))

    with pytest.raises(AlignmentError, match="no aligner is called 'oracle'"):
        scrutinise_with(found, "a doctor", "", Policy())
    blocks = Policy(aligners=("oracle",), when_aligner_fails={"oracle": AlignerFailure.BLOCK})
    with pytest.raises(PromptRefused, match="oracle"):
        scrutinise_with(found, "a doctor", "", blocks)


@pytest.mark.services
@pytest.mark.django_db
def test_a_replay_repeats_its_draws_and_leaves_the_decks_alone() -> None:
    job = _aligned(make_job(prompt="a doctor in an office", n=4))
    decks = list(Deck.objects.filter(tenant=job.tenant).values())
    assert decks
    _, key = api_key_create(tenant=job.tenant, name="k", scopes=[Scope.JOBS_WRITE])
    again = _aligned(job_replay(job=_ended(job), api_key=api_key_authenticate(key)))
    assert list(Deck.objects.filter(tenant=job.tenant).values()) == decks
    assert _draws(again) == _draws(job)
    assert [p.prompt for p in again.pictures.all()] == [p.prompt for p in job.pictures.all()]


@pytest.mark.services
@pytest.mark.django_db
def test_a_replay_that_finds_other_people_draws_from_decks_of_its_own() -> None:
    job = _aligned(make_job(prompt="a doctor in an office", n=4))
    _, key = api_key_create(tenant=job.tenant, name="k", scopes=[Scope.JOBS_WRITE])
    again = job_replay(job=_ended(job), api_key=api_key_authenticate(key))
    Job.objects.filter(pk=again.pk).update(prompt="a nurse and a lawyer")
    decks = list(Deck.objects.filter(tenant=job.tenant).values())
    _aligned(again)
    assert {len(drawn) for drawn in _draws(again)} == {2}
    assert list(Deck.objects.filter(tenant=job.tenant).values()) == decks


def _aligned(job: Job) -> Job:
    jobs_align([claimed(job, "align")])
    job.refresh_from_db()
    return job


def _ended(job: Job) -> Job:
    Job.objects.filter(pk=job.pk).update(status="failed", ended_at=timezone.now())
    job.refresh_from_db()
    return job


def _draws(job: Job) -> list[Any]:
    return [picture.draws for picture in job.pictures.all()]
