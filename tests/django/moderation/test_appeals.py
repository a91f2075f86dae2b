"""What comes of an answer: the picture is out or stays blocked, and the platform is told."""

import pytest

from factories import make_tenant
from jobs.models import Job, Picture
from jobs.storage import ObjectMissing, object_get
from moderation import restoring
from moderation.appeals import appeal_answer, appeals_open
from moderation.models import AppealState
from moderation.review import ReviewError
from review_cases import PictureAction, blocked_prompt, judged_job, make_user
from webhooks.endpoints import endpoint_create

pytestmark = [pytest.mark.services, pytest.mark.django_db]


def blocked_job() -> Job:
    tenant = make_tenant()
    endpoint_create(tenant_id=tenant.id, url="http://127.0.0.1:9/webhooks")
    return judged_job(PictureAction.BLOCK, tenant=tenant)


def answered(job: Job, *, accept: bool) -> AppealState:
    (appeal,) = appeals_open(job_id=job.id, statement="It is a museum piece.")
    return appeal_answer(
        appeal_id=appeal.id, moderator=make_user(), accept=accept, explanation="I looked."
    ).state


def test_an_accepted_appeal_lets_the_picture_out_and_the_platform_hears_of_it() -> None:
    job = blocked_job()
    assert answered(job, accept=True) is AppealState.ACCEPTED

    picture = job.pictures.get()
    assert (picture.status, picture.reason) == ("released", "appeal_accepted")
    assert picture.current is not None
    assert object_get(picture.released_key, sha256=picture.current.sha256)
    job.refresh_from_db()
    assert job.status == "blocked"
    ended, told = job.events.order_by("sequence")
    assert (ended.type, told.type, told.sequence) == ("job.blocked", "appeal.accepted", 2)
    assert told.data["appeal"]["picture"] == 0
    assert told.data["appeal"]["explanation"] == "I looked."
    assert [one["status"] for one in told.data["pictures"]] == ["released"]
    assert told.deliveries.count() == 1


def test_a_refused_appeal_keeps_it_blocked() -> None:
    job = blocked_job()
    assert answered(job, accept=False) is AppealState.REFUSED
    picture = job.pictures.get()
    assert (picture.status, picture.released_key) == ("blocked", "")
    assert job.events.get(type="appeal.refused").data["appeal"]["state"] == "refused"


def test_a_prompt_is_put_right_in_the_record_alone() -> None:
    job = blocked_prompt(make_tenant())
    assert answered(job, accept=True) is AppealState.ACCEPTED
    job.refresh_from_db()
    assert job.status == "blocked"
    assert job.events.get(type="appeal.accepted").data["appeal"]["picture"] is None


@pytest.mark.parametrize(
    ("minor", "concept", "out"),
    [(True, "nude", False), (True, "nsfw", False), (True, "politic", True), (False, "nude", True)],
)
def test_what_may_be_sexual_beside_a_minor_stays_blocked_whoever_accepts(
    minor: bool, concept: str, out: bool
) -> None:
    job = blocked_job()
    Job.objects.filter(pk=job.pk).update(text_verdict=job.text_verdict | {"minor": minor})
    version = job.pictures.get().versions.get()
    assert version.verdict is not None
    found = {"concept": concept, "score": 0.9, "threshold": 0.5}
    version.verdict |= {"findings": [found]}
    version.save()
    assert answered(job, accept=True) is AppealState.ACCEPTED
    assert (job.pictures.get().status == "released") is out


def test_a_picture_whose_scores_could_not_be_read_stays_blocked() -> None:
    job = blocked_job()
    version = job.pictures.get().versions.get()
    assert version.verdict is not None
    version.verdict |= {"scores": {}}
    version.save()
    answered(job, accept=True)
    assert job.pictures.get().status == "blocked"


def test_the_reason_alone_keeps_it_blocked() -> None:
    job = blocked_job()
    Picture.objects.filter(job=job).update(reason="sexual_and_under_twenty")
    answered(job, accept=True)
    assert job.pictures.get().status == "blocked"


def test_without_the_store_the_appeal_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    job = blocked_job()

    def away(**_: object) -> str:
        raise ObjectMissing("it is away")

    monkeypatch.setattr(restoring, "release_copy", away)
    with pytest.raises(ReviewError, match="away"):
        answered(job, accept=True)
    assert job.appeals.get().state is AppealState.OPEN
    assert job.pictures.get().status == "blocked"
