"""What a version says about prompts and limits, done to real jobs."""

import json
from collections.abc import Callable

import pytest
from django.test import Client

from ethical_lens.policy import AlignerFailure, FactorRule, Limits, Policy
from ethical_lens.results import Factor, Label, TextAction
from factories import make_job, make_tenant
from jobs.models import Job
from jobs.states import JobStatus
from review_cases import claimed
from workers.align import jobs_align

pytestmark = [pytest.mark.services, pytest.mark.django_db]

BLOODY = "a bloody doctor in an office"


def aligned(policy: Policy, prompt: str = BLOODY) -> Job:
    """A job that the text worker has looked at."""
    job = make_job(make_tenant(policy), prompt=prompt)
    jobs_align([claimed(job, "align")])
    job.refresh_from_db()
    return job


def test_a_prompt_that_the_policy_wants_looked_at_is_held_with_its_verdict() -> None:
    job = aligned(Policy(factors={Factor.SHOCKING: FactorRule(action=TextAction.REVIEW)}))

    assert (job.status, job.reason) == (JobStatus.NEEDS_REVIEW, "policy_asks_a_person")
    decision = job.decisions.get()
    assert (decision.action, decision.factors) == ("review", job.text_verdict["factors"])
    assert "The policy says review for P6: a person decides." in decision.explanation
    assert not job.stages.filter(state__in=["ready", "running"]).exists()


def test_a_prompt_that_the_policy_blocks_ends_its_job() -> None:
    job = aligned(Policy(labels={Label.K0: TextAction.BLOCK}), "a cat on a wall")

    assert (job.status, job.reason) == (JobStatus.BLOCKED, "prompt_blocked")
    assert job.decisions.get().action == "block"


def test_a_prompt_that_the_policy_allows_goes_on_as_written() -> None:
    job = aligned(Policy(labels=dict.fromkeys((Label.K1, Label.K2), TextAction.ALLOW)))

    assert job.pictures.get().prompt == BLOODY
    assert job.decisions.get().reason == "prompt_allowed"
    assert job.stages.filter(stage="generate", state="ready").exists()


@pytest.mark.parametrize(
    ("failure", "status"),
    [
        (AlignerFailure.NEXT, JobStatus.NEEDS_REVIEW),
        (AlignerFailure.REVIEW, JobStatus.NEEDS_REVIEW),
        (AlignerFailure.BLOCK, JobStatus.BLOCKED),
    ],
)
def test_where_no_aligner_reaches_a_verdict(failure: AlignerFailure, status: JobStatus) -> None:
    job = aligned(Policy(when_aligner_fails={"rules": failure}), "裸の少女")

    assert (job.status, job.reason) == (status, "no_text_verdict")
    assert job.text_verdict is None
    assert job.decisions.get().action == ("block" if status is JobStatus.BLOCKED else "review")


@pytest.mark.parametrize("failure", [AlignerFailure.REVIEW, AlignerFailure.BLOCK])
def test_a_failure_that_is_not_passed_on_asks_no_other_aligner(failure: AlignerFailure) -> None:
    policy = Policy(aligners=("oracle", "rules"), when_aligner_fails={"oracle": failure})

    assert aligned(policy).text_verdict is None
    passed = Policy(aligners=("oracle", "rules"))
    assert aligned(passed).text_verdict is not None


def test_kinds_of_people_left_alone_are_not_drawn() -> None:
    drawn = aligned(Policy(), "a doctor in an office").pictures.get()
    alone = aligned(Policy(left_alone=("doctor",)), "a doctor in an office").pictures.get()

    assert any(drawn.draws[0].values())
    assert alone.prompt == "a doctor in an office"


@pytest.mark.parametrize(
    ("fields", "pointer"), [({"n": 3}, "/n"), ({"steps": 9}, "/steps"), ({"width": 128}, "/width")]
)
def test_a_job_beyond_the_limits_is_refused_by_the_api(
    client_of: Callable[..., Client], fields: dict[str, int], pointer: str
) -> None:
    tenant = make_tenant(Policy(limits=Limits(pictures=2, steps=8, side=96)))
    body = {"prompt": "a doctor", "n": 2, "width": 96, "height": 96, "steps": 8}
    post = client_of(tenant).post

    refused = post("/api/v1/jobs", json.dumps(body | fields), "application/json")

    assert refused.status_code == 403
    assert refused.json()["code"] == "not_allowed_by_policy"
    assert refused.json()["errors"][0]["pointer"] == pointer
    assert "the policy allows at most" in refused.json()["detail"]
    assert post("/api/v1/jobs", json.dumps(body), "application/json").status_code == 202
