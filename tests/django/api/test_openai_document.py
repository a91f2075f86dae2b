"""`/v1/openapi.json` is true: what the routes in OpenAI's shape really answer, and their errors."""

import ast
import json
from pathlib import Path
from typing import Any

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory

from accounts.models import Scope, Tenant
from accounts.services import api_key_authenticate, api_key_create
from ethical_lens.policy import Policy
from ethical_lens.results import PictureAction, TextVerdict
from factories import make_job, release_and_end
from jobs.claims import stage_claim
from jobs.models import Job
from jobs.recording.alignment import judgement_finish
from jobs.services import ScrutinyRequest, job_cancel, scrutiny_submit
from openai_api import moderations
from openai_api.errors import JobProblem, error_body, error_response
from openai_api.images import PicturesIn, pictures_answer
from openai_api.kinds import ERROR, OF_EDITS, OF_MODERATIONS, OF_PICTURES
from openapi_document import OPENAI, complaints, document, operations
from review_cases import blocked_prompt, held_job, judged_job

OF_JOBS = (OF_PICTURES | OF_EDITS | OF_MODERATIONS).values()
FOLDER = Path(moderations.__file__).parent


def check(name: str, response: HttpResponse) -> dict[str, Any]:
    """The body, held against what the document says of that route and status."""
    said = dict(operations(OPENAI))[name]["responses"][str(response.status_code)]
    schema = said["content"]["application/json"]["schema"]
    body: dict[str, Any] = json.loads(response.content)
    assert complaints(schema, body, OPENAI) == [], body
    return body


def request_of(tenant: Tenant) -> HttpRequest:
    request: Any = RequestFactory().post("/v1/moderations")
    _, key = api_key_create(tenant=tenant, name="client", scopes=tuple(Scope))
    request.auth = api_key_authenticate(key)
    return request  # type: ignore[no-any-return]


def answered(job: Job, **wanted: Any) -> HttpResponse:
    """What a request for pictures gets whose job is this one by now."""
    request = request_of(job.tenant)
    asked = PicturesIn(prompt="a doctor", **wanted)
    try:
        return pictures_answer(request, job.id, asked, "image_generation")
    except JobProblem as problem:
        return error_response(request, problem)


@pytest.mark.services
@pytest.mark.django_db
@pytest.mark.parametrize("as_what", ["url", "b64_json"])
def test_pictures_are_as_the_document_says(as_what: str, tenant: Tenant) -> None:
    job = release_and_end(make_job(tenant, n=2))
    body = check("POST /images/generations", answered(job, response_format=as_what))
    assert all(one[as_what] for one in body["data"])


@pytest.mark.services
@pytest.mark.django_db
def test_a_stream_is_as_its_example(tenant: Tenant) -> None:
    said = dict(operations(OPENAI))["POST /images/generations"]["responses"]["200"]["content"]
    (example,) = said["text/event-stream"]["examples"].values()
    job = release_and_end(make_job(tenant))
    event, data = answered(job, stream=True).content.decode().splitlines()[:2]
    assert event == f"event: {example['value']['event']}"
    sent = json.loads(data.removeprefix("data: "))
    assert sent.keys() == json.loads(example["value"]["data"]).keys() | {"type"}


@pytest.mark.services
@pytest.mark.django_db
def test_what_became_of_a_job_is_as_the_document_says(tenant: Tenant) -> None:
    cases = {
        "moderation_blocked": blocked_prompt(tenant),
        "moderation_pending": held_job(),
        "canceled": job_cancel(job_id=make_job(tenant).id),
        "not_ready": make_job(tenant),
    }
    cases |= {"moderation_blocked ": judged_job(PictureAction.BLOCK)}
    for code, job in cases.items():
        body = check("POST /images/generations", answered(job))
        assert body["error"]["code"] == code.strip()
        assert body["error"]["job"].endswith(str(job.id))


@pytest.mark.services
@pytest.mark.django_db
def test_moderations_are_as_the_document_says(tenant: Tenant) -> None:
    def answer(job: Job) -> HttpResponse:
        try:
            return moderations._answer(request_of(tenant), [job.id])
        except JobProblem as problem:
            return error_response(request_of(tenant), problem)

    job = scrutiny_submit(tenant=tenant, request=ScrutinyRequest(text="a suicide bomber"))
    assert check("POST /moderations", answer(job))["error"]["code"] == "not_ready"
    claim = stage_claim(stage_id=job.stages.get(stage="align").id, holder="test")
    assert claim is not None
    text = TextVerdict.model_validate(
        {"labels": ["K3"], "factors": ["P3"], "score": 0.9, "explanation": "x", "prompt": "x"}
    )
    judgement_finish(claim=claim, verdict=text, aligner={"rules": "1"}, policy=Policy())
    (result,) = check("POST /moderations", answer(job))["results"]
    (shown,) = [
        content["examples"]["a flagged text"]["value"]["results"][0]
        for content in dict(operations(OPENAI))["POST /moderations"]["responses"]["200"][
            "content"
        ].values()
    ]
    assert list(result["categories"]) == list(shown["categories"])
    assert result["category_applied_input_types"] == shown["category_applied_input_types"]
    canceled = job_cancel(
        job_id=scrutiny_submit(tenant=tenant, request=ScrutinyRequest(text="a doctor")).id
    )
    assert check("POST /moderations", answer(canceled))["error"]["code"] == "canceled"


def test_every_error_of_a_job_is_in_the_document() -> None:
    raised = set()
    for file in FOLDER.glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "JobProblem":
                first = [arg.value for arg in node.args[:2] if isinstance(arg, ast.Constant)]
                raised |= {tuple(first)} if len(first) == 2 else set()
    known = {(kind.status, kind.code) for kind in OF_JOBS}
    assert len(raised) >= 5
    assert raised <= known
    page = (FOLDER.parents[1] / "docs" / "api.md").read_text()
    reasons = page.partition("| Reason | |")[2].partition("\n\n")[0]
    for kind in OF_MODERATIONS.values():
        assert f"`{kind.code}`" in reasons or kind.code in {"not_ready", "canceled"}


def test_every_error_has_an_example_that_is_made_as_the_errors_are() -> None:
    shown = {
        example["value"]["error"]["code"]
        for _, operation in operations(OPENAI)
        for status, response in operation["responses"].items()
        if int(status) >= 400
        for example in response["content"]["application/json"]["examples"].values()
    }
    assert {kind.code for kind in OF_JOBS} <= shown
    problem = JobProblem(400, "canceled", "Canceled on request.", "x")
    example = ERROR.example(OF_PICTURES["canceled"], "/v1/images/generations")
    assert example["error"] | {"job": "x"} == error_body(problem)["error"]


@pytest.mark.services
@pytest.mark.django_db
@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/v1/chat/completions", 404, "no_such_route"),
        ("DELETE", "/v1/models", 405, "method_not_allowed"),
        ("GET", "/v1/models", 401, "key_missing"),
    ],
)
def test_what_no_route_answers_has_openais_shape(
    method: str, path: str, status: int, code: str
) -> None:
    response: Any = Client().generic(method, path)
    assert (response.status_code, response.json()["error"]["code"]) == (status, code)
    assert ("Allow" in response) == (status == 405)
    assert ("WWW-Authenticate" in response) == (status == 401)


@pytest.mark.services
@pytest.mark.django_db
def test_it_is_where_the_docs_say() -> None:
    served = Client().get("/v1/openapi.json").json()
    assert served["paths"].keys() == document(OPENAI)["paths"].keys()
