"""No route knows another tenant's objects: tried with their ids, from the OpenAPI document.

A new route is tried by itself where its ids are known here. One with a new kind of id, or without
any, fails until somebody says what it may show.
"""

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from django.db import models
from django.test import Client

from accounts.models import APIKey, Scope, Tenant
from accounts.services import api_key_create
from ethical_lens.policy import Policy
from ethical_lens.results import PictureAction
from factories import make_job, make_tenant
from jobs.models import Job
from jobs.services import ScrutinyRequest, scrutiny_submit
from moderation.models import Appeal, Decision, Report
from openapi_document import OPENAI, PREFIX, operations
from review_cases import judged_job
from webhooks.endpoints import endpoint_create, endpoint_test
from webhooks.models import Delivery, Endpoint

pytestmark = [pytest.mark.services, pytest.mark.django_db]

WITHOUT_IDS = {
    # Lists show the tenant's own; what is made belongs to the tenant.
    "GET /jobs", "POST /jobs", "GET /api-keys", "POST /api-keys",
    "GET /webhook-endpoints", "POST /webhook-endpoints",
    "POST /jobs/batch", "GET /moderations", "POST /moderations",
    # Counts of the tenant's own.
    "GET /jobs/statistics",
}  # fmt: skip
LISTS = [name for name in WITHOUT_IDS if name.startswith("GET") and "statistics" not in name]


class Owner:
    """A tenant with one object of each kind that a route can name."""

    def __init__(self) -> None:
        self.tenant: Tenant = make_tenant()
        _, key = api_key_create(tenant=self.tenant, name="own", scopes=tuple(Scope))
        self.api = Client(headers={"Authorization": f"Bearer {key}"})
        named, _ = api_key_create(tenant=self.tenant, name="named", scopes=[Scope.JOBS_READ])
        endpoint = endpoint_create(tenant_id=self.tenant.id, url="http://127.0.0.1:1/hooks")
        self.rows: dict[str, models.Model] = {
            # Something was blocked and something released: every route has something to do.
            "job_id": judged_job(PictureAction.RELEASE, PictureAction.BLOCK, tenant=self.tenant),
            "key_id": named,
            "endpoint_id": endpoint,
            "moderation_id": scrutiny_submit(
                tenant=self.tenant, request=ScrutinyRequest(text="a doctor")
            ),
            "delivery_id": endpoint_test(endpoint=endpoint),
        }
        # It repeats another one, so that it can be compared.
        Job.objects.filter(pk=self.rows["job_id"].pk).update(replay_of=make_job(self.tenant, n=2))
        self.ids = {name: str(row.pk) for name, row in self.rows.items()}
        self.places = self.ids | {"index": "0"}
        """Ids with the place of a picture in its job, which is no id."""

    def snapshot(self) -> list[Any]:
        """Everything of this tenant that a route could change."""
        return [
            list(model.objects.filter(**{path: self.tenant}).order_by("pk").values())
            for model, path in (
                (Job, "tenant"), (APIKey, "tenant"), (Endpoint, "tenant"),
                (Delivery, "endpoint__tenant"), (Decision, "tenant"), (Appeal, "tenant"),
                (Report, "tenant"),
            )
        ]  # fmt: skip


def path_ids(name: str) -> list[str]:
    return re.findall(r"{(\w+)}", name)


WITH_IDS = [name for name, _ in operations() if path_ids(name)]


def ask(api: Client, name: str, ids: dict[str, str], prefix: str = PREFIX) -> Any:
    """Send the operation, with the first example of its body where it takes one."""
    operation = dict(operations(prefix))[name]
    method, path = name.split(" ")
    body = ""
    if "requestBody" in operation:
        (content,) = operation["requestBody"]["content"].values()
        body = json.dumps(next(iter(content["examples"].values()))["value"])
    return api.generic(method, prefix + path.format(**ids), body, "application/json")


def test_every_route_is_known_here() -> None:
    assert {name for name, _ in operations() if not path_ids(name)} == WITHOUT_IDS
    # In OpenAI's shape no route names an object of a tenant: models are those of the policy.
    assert {kind for name, _ in operations(OPENAI) for kind in path_ids(name)} == {"name"}
    kinds = {kind for name in WITH_IDS for kind in path_ids(name)}
    assert kinds == {"job_id", "key_id", "endpoint_id", "delivery_id", "moderation_id", "index"}


@pytest.mark.parametrize("name", WITH_IDS)
def test_another_tenants_ids_are_not_there(name: str) -> None:
    mine, theirs = Owner(), Owner()
    before = theirs.snapshot()
    kinds = [kind for kind in path_ids(name) if kind in theirs.ids]
    # All ids of the other tenant, and each single one among my own.
    tries = [theirs.places] + [mine.places | {kind: theirs.ids[kind]} for kind in kinds]
    for ids in tries:
        response = ask(mine.api, name, ids)
        assert response.status_code == 404, (name, response.content)
        assert response.json()["code"] == "not_found"
        for secret in theirs.ids.values():
            if secret not in response.json()["instance"]:
                assert secret not in response.content.decode()
    assert theirs.snapshot() == before
    own = ask(mine.api, name, mine.places)
    assert own.status_code < 300, "the same request works on one's own, so it was the tenant"


@pytest.mark.parametrize("name", sorted(LISTS))
def test_lists_show_ones_own_alone(name: str) -> None:
    mine, theirs = Owner(), Owner()
    before = theirs.snapshot()
    listed = ask(mine.api, name, {})
    assert listed.status_code == 200
    assert listed.json()["results"]
    for identity in theirs.ids.values():
        assert identity not in listed.content.decode()
    _without_last_use(before)
    assert _without_last_use(theirs.snapshot()) == before


@pytest.mark.parametrize("name", sorted(name for name in WITHOUT_IDS if name.startswith("POST")))
def test_what_is_made_is_ones_own(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    # The examples' addresses cannot be looked up everywhere; that is not what this is about.
    monkeypatch.setattr("webhooks.endpoints.url_check", lambda _url: None)
    mine, theirs = Owner(), Owner()
    before = theirs.snapshot()
    made = ask(mine.api, name, {})
    assert made.status_code in {200, 201, 202}, made.content
    assert theirs.snapshot() == before
    listed = f"GET {name.split()[1].removesuffix('/batch')}"
    assert ask(theirs.api, listed, {}).status_code == 200


def test_statistics_count_ones_own() -> None:
    mine, theirs = Owner(), Owner()
    for _ in range(2):
        make_job(theirs.tenant)
    counted = ask(mine.api, "GET /jobs/statistics", {}).json()
    assert counted["jobs"] == {"succeeded": 1, "queued": 1}
    counted = ask(theirs.api, "GET /jobs/statistics", {}).json()
    assert counted["jobs"] == {"succeeded": 1, "queued": 3}


@pytest.mark.parametrize(
    ("prefix", "name"),
    [(prefix, name) for prefix in (PREFIX, OPENAI) for name, _ in operations(prefix)],
)
def test_no_route_answers_without_a_key(
    prefix: str, name: str, client_of: Callable[..., Client]
) -> None:
    owner = Owner()
    before, places = owner.snapshot(), owner.places | {"name": "mini"}
    assert ask(Client(), name, places, prefix).status_code == 401
    assert ask(client_of(owner.tenant, Scope.KEYS_READ), name, places, prefix).status_code == (
        403 if not name.startswith("GET /api-keys") else 200
    )
    assert owner.snapshot()[0] == before[0]


def test_models_are_those_of_ones_own_policy(client_of: Callable[..., Client]) -> None:
    mine, theirs = make_tenant(), make_tenant(Policy(models=frozenset({"other"})))
    for tenant, status, count in ((mine, 200, 1), (theirs, 404, 0)):
        api = client_of(tenant, Scope.JOBS_READ)
        assert ask(api, "GET /models/{name}", {"name": "mini"}, OPENAI).status_code == status
        assert len(ask(api, "GET /models", {}, OPENAI).json()["data"]) == count


def _without_last_use(snapshot: list[Any]) -> list[Any]:
    for row in snapshot[1]:
        row.pop("last_used_at", None)
    return snapshot
