"""Scrutiny alone through the API, up to the workers' part: what is taken, kept and refused."""

import hashlib
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from accounts.models import Scope, Tenant
from ethical_lens.policy import Policy
from ethical_lens.results import Concept, PictureAction, PictureVerdict, TextVerdict
from factories import make_job, make_tenant
from jobs.claims import Claim, stage_claim, stage_fail
from jobs.models import Job, SentPicture
from jobs.recording.alignment import judgement_finish, prompt_hold
from jobs.recording.inspection import fetch_finish, inspection_finish, sent_refuse
from jobs.storage import object_get, sent_put
from jobs.sweep import orphans_sweep
from sent_pictures import data_url, harmless, png

pytestmark = [pytest.mark.services, pytest.mark.django_db]

URL = "/api/v1/moderations"
ELSEWHERE = "https://pictures.example/party.png"


def send(api: Client, body: dict[str, Any], **headers: str) -> Any:
    return api.post(URL, body, content_type="application/json", headers=headers)


def claim_of(job: Job, stage: str) -> Claim:
    claim = stage_claim(stage_id=job.stages.get(stage=stage).id, holder="test")
    assert claim is not None
    return claim


def verdict(action: PictureAction, **scores: float) -> PictureVerdict:
    return PictureVerdict(
        action=action,
        reason="as_told",
        explanation="As told.",
        scores={concept: scores.get(concept.value, 0.1) for concept in Concept},
    )


def stages(job: Job) -> list[str]:
    return list(job.stages.values_list("stage", flat=True))


def test_a_job_has_the_stages_that_it_needs(api: Client) -> None:
    picture = {"url": data_url(harmless())}
    for body, expected in (
        ({"text": "a doctor"}, ["align"]),
        ({"pictures": [picture]}, ["inspect"]),
        ({"pictures": [{"url": ELSEWHERE}]}, ["fetch", "inspect"]),
        ({"text": "a doctor", "pictures": [picture, {"url": ELSEWHERE}]},
         ["fetch", "align", "inspect"]),
    ):  # fmt: skip
        answer = send(api, body)
        assert answer.status_code == 202, answer.content
        job = Job.objects.get(pk=answer.json()["id"])
        assert stages(job) == expected
        assert (job.n, job.pictures.count()) == (0, 0)
        assert answer["Location"] == answer.json()["urls"]["self"]
    assert stages(make_job()) == ["align", "generate", "scrutinise", "release"]


def test_an_upload_lies_in_quarantine_and_is_not_swept(api: Client) -> None:
    content = harmless()
    job = Job.objects.get(pk=send(api, {"pictures": [{"url": data_url(content)}]}).json()["id"])
    sent = job.sent.get()
    assert sent.key.startswith(f"quarantine/{job.id}/")
    assert sent.sha256 == hashlib.sha256(content).hexdigest()
    orphan = sent_put(job_id=job.id, index=7, content=b"left over").key
    assert orphans_sweep(grace=timedelta(0)) >= 1
    assert object_get(sent.key, sha256=sent.sha256) == content
    with pytest.raises(Exception, match="NoSuchKey"):
        object_get(orphan, sha256="")


def test_what_is_flagged_is_no_blocked_job(api: Client) -> None:
    answer = send(api, {"text": "a suicide bomber", "pictures": [{"url": data_url(harmless())}]})
    job = Job.objects.get(pk=answer.json()["id"])
    text = TextVerdict.model_validate(
        {"labels": ["K3"], "factors": ["P3"], "score": 0.9, "explanation": "x", "prompt": "x"}
    )
    judgement_finish(
        claim=claim_of(job, "align"), verdict=text, aligner={"rules": "1"}, policy=Policy()
    )
    between = api.get(f"{URL}/{job.id}").json()
    assert (between["flagged"], between["text"]["flagged"]) == (None, True), "not all is judged"
    inspection_finish(
        claim=claim_of(job, "inspect"),
        pictures=list(job.sent.all()),
        verdicts=[verdict(PictureAction.RELEASE)],
        model_digests={"heads": "abc"},
    )
    shown = api.get(f"{URL}/{job.id}").json()
    assert (shown["status"], shown["flagged"]) == ("succeeded", True)
    assert shown["text"]["labels"] == ["K3"]
    (picture,) = shown["pictures"]
    assert (picture["flagged"], picture["findings"]) == (False, [])
    assert picture["scores"]["nsfw"] == 0.1
    assert picture["thresholds"] == Policy().thresholds
    assert shown["policy"] == str(job.policy_version)
    recorded = job.decisions.get(stage="inspect")
    assert (recorded.action, recorded.object_digest) == ("allow", picture["sha256"])
    assert recorded.policy_version_id == job.policy_version_id
    assert job.usage.pictures_painted == 0
    (event,) = job.events.all()
    assert event.type == "job.succeeded"
    assert event.data["urls"] == {"self": shown["urls"]["self"]}


def test_it_can_be_canceled(api: Client) -> None:
    sent = send(api, {"text": "a doctor"}).json()
    for _ in range(2):
        answer = api.post(sent["urls"]["cancel"])
        shown = answer.json()
        assert (answer.status_code, shown["status"], shown["flagged"]) == (200, "canceled", None)
    job = Job.objects.get(pk=sent["id"])
    assert [event.type for event in job.events.all()] == ["job.canceled"]
    assert api.post(f"{URL}/{make_job(job.tenant).id}/cancel").status_code == 404


@pytest.mark.parametrize(
    ("action", "flagged", "status"),
    [
        (PictureAction.RELEASE, False, "succeeded"),
        (PictureAction.BLOCK, True, "succeeded"),
        (PictureAction.REVIEW, None, "failed"),
    ],
)
def test_only_a_verdict_says_whether_a_picture_is_flagged(
    api: Client, action: PictureAction, flagged: bool | None, status: str
) -> None:
    job = Job.objects.get(pk=send(api, {"pictures": [{"url": data_url(harmless())}]}).json()["id"])
    inspection_finish(
        claim=claim_of(job, "inspect"),
        pictures=list(job.sent.all()),
        verdicts=[verdict(action)],
        model_digests={},
    )
    shown = api.get(f"{URL}/{job.id}").json()
    assert (shown["status"], shown["flagged"]) == (status, flagged)
    assert shown["pictures"][0]["flagged"] is flagged


def test_without_a_verdict_it_has_failed(api: Client) -> None:
    job = Job.objects.get(pk=send(api, {"text": "ein Arzt"}).json()["id"])
    prompt_hold(claim=claim_of(job, "align"), reason="no_text_verdict", explanation="why")
    shown = api.get(f"{URL}/{job.id}").json()
    assert (shown["status"], shown["reason"], shown["flagged"]) == (
        "failed", "no_text_verdict", None,
    )  # fmt: skip


@pytest.mark.parametrize("stage", ["fetch", "inspect"])
def test_a_stage_that_always_fails_gives_no_verdict(api: Client, stage: str, settings: Any) -> None:
    settings.ENVIRONMENT = settings.ENVIRONMENT.model_copy(update={"retry_seconds": 0.0})
    url = ELSEWHERE if stage == "fetch" else data_url(harmless())
    job = Job.objects.get(pk=send(api, {"pictures": [{"url": url}]}).json()["id"])
    for _ in range(settings.ENVIRONMENT.stage_attempts):
        stage_fail(claim=claim_of(job, stage), error="the model is away")
    shown = api.get(f"{URL}/{job.id}").json()
    assert (shown["status"], shown["reason"]) == ("failed", f"{stage}_failed")
    assert (shown["flagged"], shown["pictures"][0]["flagged"]) == (None, None)


def test_what_was_fetched_is_judged_next(api: Client) -> None:
    job = Job.objects.get(pk=send(api, {"pictures": [{"url": ELSEWHERE}]}).json()["id"])
    sent = job.sent.get()
    assert (sent.url, sent.key) == (ELSEWHERE, "")
    stored = sent_put(job_id=job.id, index=0, content=harmless())
    assert fetch_finish(claim=claim_of(job, "fetch"), fetched={sent.id: stored})
    sent.refresh_from_db()
    assert (sent.key, sent.sha256) == (stored.key, stored.sha256)
    assert claim_of(job, "inspect").job_id == job.id


def test_what_cannot_be_fetched_is_told(api: Client) -> None:
    job = Job.objects.get(pk=send(api, {"pictures": [{"url": ELSEWHERE}]}).json()["id"])
    sent_refuse(claim=claim_of(job, "fetch"), reason="picture_url_refused", explanation="why")
    shown = api.get(f"{URL}/{job.id}").json()
    assert (shown["status"], shown["reason"], shown["explanation"], shown["flagged"]) == (
        "failed", "picture_url_refused", "why", None,
    )  # fmt: skip
    assert not job.stages.filter(state__in=["waiting", "ready", "running"]).exists()


@pytest.mark.parametrize(
    ("body", "pointer", "said"),
    [
        ({}, "/pictures", "send a picture"),
        ({"text": "  "}, "/pictures", "send a picture"),
        ({"text": "a\u0000b"}, "/text", "U+0000"),
        ({"pictures": [{"url": "ftp://pictures.example/a"}]}, "/pictures/0/url", "https://"),
        ({"pictures": [{"url": "https://me@pictures.example/"}]}, "/pictures/0/url", "user name"),
        ({"pictures": [{"url": "data:image/png,abc"}]}, "/pictures/0/url", "base64"),
        ({"pictures": [{"url": "data:image/png;base64,%%%"}]}, "/pictures/0/url", "not base64"),
        ({"pictures": [{"url": data_url(b"no picture")}]}, "/pictures/0/url", "PNG, JPEG"),
        ({"pictures": [{"url": ELSEWHERE}] * 5}, "/pictures", "at most 4"),
        ({"text": "a", "prompt": "a"}, "/prompt", "Extra"),
    ],
)
def test_a_bad_field_is_named(api: Client, body: dict[str, Any], pointer: str, said: str) -> None:
    answer = send(api, body)
    assert answer.status_code == 422
    (error,) = answer.json()["errors"]
    assert error["pointer"] == pointer
    assert said in error["detail"]
    assert not SentPicture.objects.filter(job__prompt="a").exists()


def test_pixels_are_bounded_before_anything_is_decoded(api: Client) -> None:
    from PIL import Image

    wide = png(Image.new("1", (9000, 9000)))
    answer = send(api, {"pictures": [{"url": data_url(wide)}]})
    assert answer.status_code == 422
    assert "81" in answer.json()["errors"][0]["detail"] or "pixels" in answer.content.decode()


def test_bytes_are_bounded(api: Client, settings: Any) -> None:
    settings.ENVIRONMENT = settings.ENVIRONMENT.model_copy(update={"picture_bytes": 3_000_000})
    answer = send(api, {"pictures": [{"url": f"data:image/png;base64,{'A' * 4_100_000}"}]})
    assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")
    fits = send(api, {"pictures": [{"url": f"data:image/png;base64,{'A' * 2_000_000}"}]})
    assert fits.status_code == 422, "so large a body is read, and found to be no picture"
    jobs = api.post("/api/v1/jobs", {"prompt": "a" * 100_000}, content_type="application/json")
    assert jobs.status_code == 413, "other bodies keep their bound"


def test_a_repetition_makes_no_second_one(api: Client, tenant: Tenant) -> None:
    body = {"text": "a doctor", "pictures": [{"url": data_url(harmless())}]}
    first = send(api, body, **{"Idempotency-Key": "once"})
    second = send(api, body, **{"Idempotency-Key": "once"})
    other = send(api, {"text": "a nurse"}, **{"Idempotency-Key": "once"})
    assert (first.status_code, second.status_code, other.status_code) == (202, 202, 422)
    assert second["Idempotency-Replayed"] == "true"
    assert json.loads(first.content) == json.loads(second.content)
    assert Job.objects.filter(tenant=tenant).count() == 1


def test_quotas_and_rates_count_it(api: Client, tenant: Tenant) -> None:
    tenant.jobs_in_flight, tenant.pictures_per_day = 1, 1
    tenant.save()
    first, second = send(api, {"text": "a doctor"}), send(api, {"text": "a doctor"})
    assert (first.status_code, second.status_code) == (202, 429)
    assert second.json()["code"] == "too_many_jobs_in_flight"
    assert "tenant" in first["RateLimit"]


def test_it_is_no_job_of_pictures(
    api: Client, tenant: Tenant, client_of: Callable[..., Client]
) -> None:
    moderation = send(api, {"text": "a doctor"}).json()["id"]
    job = str(make_job(tenant).id)
    assert [found["id"] for found in api.get(URL).json()["results"]] == [moderation]
    assert [found["id"] for found in api.get("/api/v1/jobs").json()["results"]] == [job]
    assert api.get(f"{URL}/{job}").status_code == 404
    assert api.get(f"/api/v1/jobs/{moderation}").status_code == 404
    assert api.get("/api/v1/jobs/statistics").json()["jobs"] == {"queued": 1}
    assert client_of(make_tenant()).get(f"{URL}/{moderation}").status_code == 404
    assert client_of(tenant, Scope.JOBS_READ).post(URL).status_code == 403
