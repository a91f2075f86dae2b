"""Pictures and prompts are kept for the time that their policy says; the record is kept."""

import json
from datetime import timedelta
from typing import Any

import httpx
import pytest
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import Scope
from accounts.services import api_key_create
from desk.models import Choice, ReviewItem
from ethical_lens.policy import Policy
from ethical_lens.results import PictureAction, TextVerdict
from ethical_lens.text.choose import scrutinise_with
from ethical_lens.text.rules import RuleAligner
from factories import make_tenant
from jobs.models import Job, Picture, PictureVersion, SentPicture
from jobs.replays import CannotBeReplayed, job_replay
from jobs.storage import (
    ObjectMissing,
    StorageError,
    StorageUnavailable,
    object_get,
    released_url,
)
from moderation.appeals import NothingToAppeal, appeal_answer, appeals_open
from moderation.models import Appeal, ReportReason
from moderation.reports import NotReleased, report_open
from policies import retention
from policies.retention import jobs_erase
from review_cases import blocked_prompt, judged_job, make_user, painted_job, reviewed_picture

pytestmark = [pytest.mark.services, pytest.mark.django_db]

DAYS = 3
PROMPT = "a quiet doctor in Ulm"


def under(policy: Policy, *actions: PictureAction) -> Job:
    """A job under `policy` that ended, with these verdicts on its pictures."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("review_cases.Policy", lambda: policy)
        return judged_job(*actions, prompt=PROMPT)


def over(job: Job, days: float = DAYS + 0.01) -> Job:
    """The job, as if it had ended so long ago."""
    Job.objects.filter(pk=job.pk).update(ended_at=timezone.now() - timedelta(days=days))
    job.refresh_from_db()
    return job


def kept(job: Job) -> bool:
    """Whether nothing of it was erased; half is wrong."""
    job.refresh_from_db()
    versions = PictureVersion.objects.filter(picture__job=job)
    there = []
    for version in versions:
        try:
            there.append(bool(object_get(version.key, sha256=version.sha256)))
        except ObjectMissing:
            there.append(False)
    assert set(there) <= {job.erased_at is None}, "rows and objects say the same"
    return job.erased_at is None


def everything() -> str:
    """All rows of jobs and of the desk, as text."""
    tables = ("jobs_job", "jobs_picture", "jobs_pictureversion", "desk_choice", "webhooks_event",
              "moderation_decision")  # fmt: skip
    with connection.cursor() as cursor:
        rows: list[str] = []
        for table in tables:
            cursor.execute(f"SELECT t::text FROM {table} t")
            rows += [row for (row,) in cursor.fetchall()]
    return "\n".join(rows)


def test_pictures_and_prompts_go_after_their_time_and_the_record_stays() -> None:
    job = under(Policy(retention_days=DAYS), PictureAction.BLOCK, PictureAction.RELEASE)
    blocked, released = job.pictures.select_related("current").order_by("index")
    link = released_url(released.released_key)
    decided = list(job.decisions.order_by("id").values())
    digests = [
        blocked.current and blocked.current.sha256,
        released.current and released.current.sha256,
    ]
    assert httpx.get(link).status_code == 200
    assert PROMPT in everything()

    over(job, DAYS - 0.01)
    assert jobs_erase() == 0, "it is not yet due"
    assert kept(job)
    over(job)
    assert jobs_erase() == 1

    assert not kept(job)
    assert httpx.get(link).status_code == 404, "a link that was given out ends too"
    assert PROMPT not in everything()
    assert list(job.decisions.order_by("id").values()) == decided
    assert decided
    assert decided[-1]["scores"]
    after = job.pictures.select_related("current").order_by("index")
    assert [picture.current and picture.current.sha256 for picture in after] == digests
    assert [picture.status for picture in after] == ["blocked", "released"]
    verdict = TextVerdict.model_validate(job.text_verdict)
    assert (verdict.labels, verdict.prompt) == ({"K0"}, retention.ERASED)
    assert jobs_erase() == 0, "it is done once"


def test_names_and_addresses_that_were_never_fetched_go_too() -> None:
    job = under(Policy(retention_days=DAYS), PictureAction.BLOCK)
    verdict, _ = scrutinise_with([RuleAligner()], "Barack Obama waving in a park", "", Policy())
    assert "obama" in json.dumps(verdict.model_dump(mode="json")["clusters"]).lower()
    job.text_verdict = verdict.model_dump(mode="json")
    job.save()
    SentPicture.objects.create(job=job, index=0, url="https://pictures.example/a?signature=s")
    over(job)
    assert jobs_erase() == 1
    job.refresh_from_db()
    assert "obama" not in json.dumps(job.text_verdict).lower()
    assert TextVerdict.model_validate(job.text_verdict).clusters
    assert job.sent.get().url == retention.ERASED


def test_a_blocked_prompt_goes_too() -> None:
    job = over(blocked_prompt(make_tenant(Policy(retention_days=DAYS))))
    assert job.prompt
    jobs_erase()
    job.refresh_from_db()
    assert (job.prompt, job.status, job.erased_at is not None) == ("", "blocked", True)
    assert TextVerdict.model_validate(job.text_verdict).factors == {"P3"}


def test_without_a_time_everything_is_kept() -> None:
    job = over(under(Policy(), PictureAction.BLOCK), 3000)
    jobs_erase()
    assert kept(job)


def test_what_is_held_or_under_way_is_kept() -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("review_cases.Policy", lambda: Policy(retention_days=DAYS))
        held, running = reviewed_picture().job, painted_job()
    long_ago = timezone.now() - timedelta(days=99)
    Job.objects.filter(pk__in=[held.pk, running.pk]).update(created_at=long_ago)
    jobs_erase()
    assert kept(held)
    assert kept(running)
    assert retention.job_erase(job_id=held.pk) is False


def test_an_appeal_keeps_its_job_until_it_is_answered() -> None:
    job = over(under(Policy(retention_days=DAYS), PictureAction.BLOCK))
    (appeal,) = appeals_open(job_id=job.pk, statement="It is a museum piece.")
    jobs_erase()
    assert kept(job)
    appeal_answer(appeal_id=appeal.pk, moderator=make_user(), accept=False, explanation="No.")
    jobs_erase()
    assert not kept(job)
    assert Appeal.objects.get(pk=appeal.pk).statement, "the record"


def test_a_report_and_a_look_at_the_desk_keep_theirs() -> None:
    job = over(under(Policy(retention_days=DAYS), PictureAction.RELEASE))
    report_open(picture_id=job.pictures.get().pk, reason=ReportReason.HATE)
    jobs_erase()
    assert kept(job), "of the report"
    job.pictures.get().reports.update(answer=job.decisions.last(), answered_at=timezone.now())
    jobs_erase()
    assert kept(job), "of the item that still waits"
    ReviewItem.objects.filter(job=job).update(closed_at=timezone.now())
    item = ReviewItem.objects.get(job=job)
    Choice.objects.create(
        item=item, user=make_user(), verdict="repaint", prompt="a calm doctor", seconds=3,
        settled_at=timezone.now(),
    )  # fmt: skip
    jobs_erase()
    assert not kept(job)
    assert Choice.objects.get(item=item).prompt == ""


def test_a_run_goes_in_slices_and_ends_with_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "SLICE", 2)
    first = under(Policy(retention_days=DAYS), PictureAction.BLOCK)
    jobs = [first]
    for _ in range(4):
        job = blocked_prompt(first.tenant)
        assert job.policy_version_id == first.policy_version_id
        jobs.append(job)
    for age, job in enumerate(jobs):
        over(job, DAYS + 1 + age)
    assert jobs_erase(seconds=0) == 0
    assert jobs_erase() == 5
    assert not Job.objects.filter(pk__in=[job.pk for job in jobs], erased_at=None).exists()


def test_a_job_that_cannot_be_deleted_stops_no_other_and_comes_again(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(retention, "SLICE", 1)
    kept_back = over(under(Policy(retention_days=DAYS), PictureAction.BLOCK), DAYS + 9)
    other = over(blocked_prompt(kept_back.tenant))
    real = retention.object_delete

    def refusing(key: str) -> None:
        if str(kept_back.pk) in key:
            raise StorageError("AccessDenied")
        real(key)

    monkeypatch.setattr(retention, "object_delete", refusing)
    assert jobs_erase() == 1
    assert f"job {kept_back.pk} is not erased, though its time is over" in caplog.text
    assert kept(kept_back)
    other.refresh_from_db()
    assert other.erased_at is not None
    monkeypatch.setattr(retention, "object_delete", real)
    assert jobs_erase() == 1
    assert not kept(kept_back)


def test_a_store_that_does_not_answer_ends_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    over(under(Policy(retention_days=DAYS), PictureAction.BLOCK))

    def away(key: str) -> None:
        raise StorageUnavailable("no answer")

    monkeypatch.setattr(retention, "object_delete", away)
    with pytest.raises(StorageUnavailable):
        jobs_erase()


def test_what_was_half_done_is_done_again(monkeypatch: pytest.MonkeyPatch) -> None:
    job = over(under(Policy(retention_days=DAYS), PictureAction.BLOCK, PictureAction.RELEASE))
    real, deleted = retention.object_delete, []

    def dying(key: str) -> None:
        if deleted:
            raise ConnectionError("gone")
        real(key)
        deleted.append(key)

    monkeypatch.setattr(retention, "object_delete", dying)
    with pytest.raises(ConnectionError):
        retention.job_erase(job_id=job.pk)
    job.refresh_from_db()
    assert job.prompt == PROMPT
    monkeypatch.setattr(retention, "object_delete", real)
    assert retention.job_erase(job_id=job.pk)
    assert not kept(job)


def test_what_was_erased_is_told_and_nothing_is_begun_anew_from_it() -> None:
    job = over(under(Policy(retention_days=DAYS), PictureAction.BLOCK, PictureAction.RELEASE))
    jobs_erase()
    job.refresh_from_db()
    key, secret = api_key_create(tenant=job.tenant, name="k", scopes=[Scope.JOBS_READ])
    client = Client(headers={"authorization": f"Bearer {secret}"})
    told: Any = client.get(f"/api/v1/jobs/{job.pk}").json()
    assert told["erased_at"]
    assert (told["prompt"], told["text"]["edits"]) == ("", [])
    links = client.get(f"/api/v1/jobs/{job.pk}/pictures").json()
    assert [picture["url"] for picture in links] == [None, None]
    with pytest.raises(CannotBeReplayed, match="erased"):
        job_replay(job=job, api_key=key)
    with pytest.raises(NothingToAppeal, match="erased"):
        appeals_open(job_id=job.pk, statement="Too late.")
    with pytest.raises(NotReleased):
        report_open(picture_id=job.pictures.get(index=1).pk, reason=ReportReason.HATE)

    staff = Client()
    staff.force_login(make_user(is_superuser=True))
    page = staff.get(reverse("admin:jobs_job_change", args=[job.pk]))
    assert "prompts and pictures were erased on" in page.content.decode()
    assert "preview" not in page.content.decode(), "nothing is asked for that is not there"
    shown = Picture.objects.filter(job=job)
    for picture in shown:
        assert staff.get(reverse("admin:jobs_picture_change", args=[picture.pk])).status_code == 200


def test_the_database_lets_nothing_be_erased_that_goes_on() -> None:
    job = painted_job()
    with pytest.raises(IntegrityError, match="what_is_erased_has_ended"), transaction.atomic():
        Job.objects.filter(pk=job.pk).update(erased_at=timezone.now(), prompt="")
