"""A worker paints a face anew that does not look as drawn, and judges what came of it."""

from collections.abc import Sequence
from contextlib import suppress

import pytest
from celery.exceptions import Ignore
from django.db.models.functions import Now
from PIL import Image

from desk.models import PictureHash
from ethical_lens.image import diffusion_editor
from ethical_lens.image.face_edit import FaceEdit
from ethical_lens.policy import Policy
from ethical_lens.results import AttributeDraw, LifeStage
from factories import make_aligned_job, make_tenant
from jobs.claims import Claim, stage_finish
from jobs.exhaustion import stage_give_up
from jobs.models import Job, PictureVersion, StageRun
from jobs.recording.painting import PaintedPicture, painting_finish
from jobs.stages import EDIT
from jobs.storage import object_get, quarantine_put
from moderation.models import DecisionAction
from redrawing import SHOWN, Redraws, drawn
from workers.edit import job_edit
from workers.leasing import stages_run
from workers.loading import face_reader
from workers.near import pdq_hash
from workers.pngs import png_decode, png_encode
from workers.release import jobs_release
from workers.scrutinise import jobs_scrutinise

pytestmark = [pytest.mark.services, pytest.mark.models, pytest.mark.django_db]

AS_SHOWN = AttributeDraw(cluster=0, gender=SHOWN.gender, race=SHOWN.race, age=SHOWN.stage)
OTHERWISE = AttributeDraw(cluster=0, gender="male", race="White", age=LifeStage.MIDDLE_AGE)


class DoesNothing:
    """An editor that leaves every face as it is."""

    def __init__(self, _: object) -> None: ...

    def edit(self, edits: Sequence[FaceEdit]) -> list[Image.Image]:
        return [edit.image for edit in edits]


def painted_job(draw: AttributeDraw, policy: Policy | None = None) -> Job:
    """A job of one picture that shows `SHOWN`, whatever was drawn."""
    job = make_aligned_job("a doctor in an office", make_tenant(policy or Policy(edit_faces=True)))
    Job.objects.filter(pk=job.pk).update(admitted_at=Now())
    job.pictures.update(draws=[draw.model_dump(mode="json")])

    def paint(claims: Sequence[Claim]) -> bool:
        (claim,), picture = claims, job.pictures.get()
        stored = quarantine_put(
            job_id=job.id, picture_id=picture.id, round=1, png=png_encode(drawn(SHOWN))
        )
        painted = PaintedPicture(picture.id, picture.prompt, stored)
        return painting_finish({claim: [painted]}, model_digests={})

    run(job, "align", lambda claims: stage_finish(claim=claims[0], record=lambda _: None))
    run(job, "generate", paint)
    return job


def run(job: Job, stage: str, work: object) -> None:
    stages_run([str(job.stages.get(stage=stage).id)], work)  # type: ignore[arg-type]


def scrutinised_job(draw: AttributeDraw, policy: Policy | None = None) -> Job:
    job = painted_job(draw, policy)
    with suppress(Ignore):  # where a stage was added, another chain goes on
        run(job, "scrutinise", jobs_scrutinise)
    return job


def open_stages(job: Job) -> list[str]:
    return list(
        job.stages.filter(state__in=["ready", "waiting"])
        .order_by("position")
        .values_list("stage", flat=True)
    )


def story(job: Job) -> list[tuple[str, str, str]]:
    return list(job.decisions.order_by("id").values_list("stage", "action", "reason"))


def test_a_face_is_edited_and_the_edited_picture_is_what_is_let_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(diffusion_editor, "DiffusionEditor", lambda _: Redraws())
    job = scrutinised_job(OTHERWISE)
    assert open_stages(job) == ["edit", "release"]
    run(job, "edit", job_edit)

    assert story(job) == [
        ("scrutinise", "release", "no_finding"),
        ("edit", "edit", "face_not_as_drawn"),
        ("edit", "release", "no_finding"),
    ]
    picture = job.pictures.get()
    assert picture.current is not None
    assert picture.cleared_by is not None
    assert picture.current.kind == "edited"
    assert picture.cleared_by.object_digest == picture.current.sha256
    image = png_decode(object_get(picture.current.key, sha256=picture.current.sha256))
    ((reading,),) = face_reader().read([image])
    kept = PictureHash.objects.get(version=picture.current)
    assert bytes(kept.pdq) == pdq_hash(image)
    face = reading.for_record()
    assert (face.gender, face.race, face.stage) == ("male", "White", LifeStage.MIDDLE_AGE)

    with pytest.raises(Ignore):  # nothing comes after it
        run(job, "release", jobs_release)
    job.refresh_from_db()
    picture.refresh_from_db()
    assert job.status == "succeeded"
    assert picture.released_key.endswith(f"{picture.current.sha256}.png")


def test_a_picture_stays_as_it_was_where_no_edit_is_confirmed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(diffusion_editor, "DiffusionEditor", DoesNothing)
    job = scrutinised_job(OTHERWISE)
    before = job.pictures.get()
    run(job, "edit", job_edit)

    assert story(job)[1:] == [("edit", "edit", "edit_not_confirmed")]
    after = job.pictures.get()
    assert (after.current_id, after.cleared_by_id) == (before.current_id, before.cleared_by_id)
    assert open_stages(job) == ["release"]


def test_the_painter_itself_edits_with_its_own_weights() -> None:
    job = scrutinised_job(OTHERWISE)
    run(job, "edit", job_edit)

    _, tried, *judged = job.decisions.order_by("id")
    assert tried.action == DecisionAction.EDIT
    current = job.pictures.get().current
    assert current is not None
    if tried.reason == "face_not_as_drawn":
        assert [one.object_digest for one in judged] == [current.sha256]
        assert list(current.model_digests) == ["pipeline"]
    else:
        assert (tried.reason, judged, current.kind) == ("edit_not_confirmed", [], "painted")


@pytest.mark.parametrize(
    ("draw", "policy"), [(AS_SHOWN, Policy(edit_faces=True)), (OTHERWISE, Policy())]
)
def test_nothing_is_edited_that_looks_as_drawn_or_where_the_policy_does_not_want_it(
    draw: AttributeDraw, policy: Policy
) -> None:
    job = scrutinised_job(draw, policy)
    assert open_stages(job) == ["release"]
    assert job.pictures.get().cleared_by is not None


def test_an_edit_that_fails_for_good_leaves_what_scrutiny_let_out() -> None:
    job = scrutinised_job(OTHERWISE)
    stage = StageRun.objects.get(job=job, stage=EDIT.name)
    stage.state, stage.attempts = "failed", 3
    stage.save()
    stage_give_up(job=Job.objects.get(pk=job.pk), run=stage)

    assert story(job)[1:] == [("edit", "edit", "edit_failed")]
    assert open_stages(job) == ["release"]
    assert job.pictures.get().cleared_by is not None


def test_a_face_that_a_moderator_made_unrecognisable_is_not_painted_anew() -> None:
    job = painted_job(OTHERWISE)
    version = job.pictures.get().versions.get()
    version.kind = PictureVersion.Kind.RETOUCHED
    version.save(update_fields=["kind"])
    with suppress(Ignore):
        run(job, "scrutinise", jobs_scrutinise)
    assert "edit" in open_stages(scrutinised_job(OTHERWISE)), "as it would be otherwise"
    assert open_stages(job) == ["release"]
