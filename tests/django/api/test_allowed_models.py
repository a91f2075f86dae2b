"""Models and LoRA weights by name: known to the installation, and allowed by the policy."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from ethical_lens.policy import Policy
from ethical_lens.sources import LoraSource, PipelineSource
from factories import make_tenant
from jobs.models import Job

pytestmark = [pytest.mark.services, pytest.mark.django_db]

JOBS = "/api/v1/jobs"


@pytest.fixture(autouse=True)
def installation(settings: Any) -> None:
    settings.DIFFUSION_MODELS = {name: PipelineSource(source="x") for name in ("mini", "house")}
    settings.LORAS = {
        "ink": LoraSource(source="ink.safetensors"),
        "brick": LoraSource(source="brick.safetensors", pipelines=("house",)),
    }


@pytest.fixture
def post(client_of: Callable[..., Client]) -> Callable[..., Any]:
    """Submits a doctor for a tenant of the given policy."""

    def submit(policy: Policy, **fields: str) -> Any:
        body = json.dumps({"prompt": "a doctor", **fields})
        return client_of(make_tenant(policy)).post(JOBS, body, "application/json")

    return submit


def test_what_the_policy_names_is_accepted_and_told(post: Callable[..., Any]) -> None:
    policy = Policy(models=("house",), loras=("brick",))

    answer = post(policy, model="house", lora="brick")

    assert answer.status_code == 202
    assert (answer.json()["model"], answer.json()["lora"]) == ("house", "brick")
    job = Job.objects.get(pk=answer.json()["id"])
    assert (job.model, job.lora) == ("house", "brick")


@pytest.mark.parametrize(
    ("fields", "pointer", "says"),
    [
        ({"model": "mini"}, "/model", "model 'mini' is not allowed by the policy; allowed: house"),
        ({}, "/model", "model 'mini' is not allowed by the policy; allowed: house"),
        ({"model": "house", "lora": "ink"}, "/lora", "allowed: brick"),
    ],
)
def test_what_the_policy_does_not_name_is_refused(
    post: Callable[..., Any], fields: dict[str, str], pointer: str, says: str
) -> None:
    before = Job.objects.count()

    answer = post(Policy(models=("house",), loras=("brick",)), **fields)

    assert (answer.status_code, answer.json()["code"]) == (403, "not_allowed_by_policy")
    assert says in answer.json()["detail"]
    assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]
    assert Job.objects.count() == before


def test_without_a_word_on_it_a_policy_allows_no_lora(post: Callable[..., Any]) -> None:
    assert post(Policy(), lora="ink").status_code == 403
    assert post(Policy(), model="house").status_code == 202


@pytest.mark.parametrize(
    ("fields", "says"),
    [({"lora": "oil"}, "there is: ink"), ({"model": "mini", "lora": "brick"}, "there is: ink")],
    ids=["unknown", "of another model"],
)
def test_what_the_installation_does_not_have_is_a_bad_field(
    post: Callable[..., Any], fields: dict[str, str], says: str
) -> None:
    answer = post(Policy(loras=("oil", "brick")), **fields)

    assert answer.status_code == 422
    (error,) = answer.json()["errors"]
    assert error["pointer"] == "/lora"
    assert says in error["detail"]


def test_jobs_of_different_loras_never_share_a_batch(post: Callable[..., Any]) -> None:
    policy = Policy(loras=("ink", "brick"))
    keys = set()
    for lora in ("", "ink", "brick"):
        answer = post(policy, model="house", lora=lora)
        job = Job.objects.get(pk=answer.json()["id"])
        keys.add(job.stages.get(stage="generate").batch_key)

    assert len(keys) == 3
