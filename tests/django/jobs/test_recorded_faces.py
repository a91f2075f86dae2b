"""What the face reader saw stands in the record and in the API."""

from collections.abc import Callable

import pytest
from django.test import Client

from ethical_lens.results import (
    Attribute,
    AttributeDraw,
    Concept,
    Finding,
    LifeStage,
    PictureAction,
    PictureVerdict,
    ReadFace,
)
from jobs.recording.scrutiny import (
    ScrutinisedPicture,
    pictures_to_scrutinise,
    scrutiny_finish,
)
from moderation.models import Decision
from review_cases import SCORES, claimed, painted_job

pytestmark = [pytest.mark.services, pytest.mark.django_db]

FACE = ReadFace(
    box=(3, 4, 30, 40),
    score=0.97,
    gender="female",
    race="Asian",
    stage=LifeStage.ADOLESCENCE,
    certainty={Attribute.GENDER: 0.9, Attribute.RACE: 0.8, Attribute.AGE: 0.7},
    under_twenty=True,
)


def test_faces_are_recorded_and_shown(client_of: Callable[..., Client]) -> None:
    job = painted_job()
    api = client_of(job.tenant)
    picture = job.pictures.get()
    blocked = PictureVerdict(
        action=PictureAction.BLOCK,
        reason="sexual_and_under_twenty",
        explanation="Blocked.",
        scores=SCORES | {Concept.NUDE: 0.9},
        findings=(Finding(concept=Concept.NUDE, score=0.9, threshold=0.6),),
        faces=(FACE,),
    )
    scrutiny_finish(
        {claimed(job, "scrutinise"): [ScrutinisedPicture(picture_id=picture.id, verdict=blocked)]},
        model_digests={"faces": "3" * 64},
    )

    decision = Decision.objects.get(job=job, stage="scrutinise")
    assert [ReadFace.model_validate(face) for face in decision.faces] == [FACE]
    shown = api.get(f"/api/v1/jobs/{job.id}").json()["pictures"][0]
    assert shown["faces"] == [FACE.model_dump(mode="json")]
    assert shown["reason"] == "sexual_and_under_twenty"
    decisions = api.get(f"/api/v1/jobs/{job.id}/decisions").json()
    assert [d["faces"] for d in decisions if d["stage"] == "scrutinise"] == [shown["faces"]]
    assert all(d["faces"] == [] for d in decisions if d["stage"] != "scrutinise")


def test_a_verdict_from_before_faces_were_read_is_shown_without_any(
    client_of: Callable[..., Client],
) -> None:
    job = painted_job()
    picture = job.pictures.get()
    assert picture.current is not None
    picture.current.verdict = {"action": "release", "scores": {}, "findings": []}
    picture.current.save()

    answer = client_of(job.tenant).get(f"/api/v1/jobs/{job.id}").json()
    assert answer["pictures"][0]["faces"] == []


def test_what_was_drawn_goes_to_scrutiny() -> None:
    job = painted_job()
    job.pictures.update(draws=[{"cluster": 0, "age": "old age"}])
    (asked,) = pictures_to_scrutinise([claimed(job, "scrutinise")])
    assert asked.draws == (AttributeDraw(cluster=0, age=LifeStage.OLD_AGE),)
