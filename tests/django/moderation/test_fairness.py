"""Fairness live: who is drawn and who is read, against the target, and when drift is told."""

import json
import random
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from config.identifiers import uuid7_first
from ethical_lens.policy import FairnessTargets
from ethical_lens.policy import Policy as PolicyDocument
from ethical_lens.results import Attribute, LifeStage
from factories import make_job, make_tenant
from jobs.models import Job
from moderation.fairness import Distribution, Tally, chi_square_tail, tallies_read, target_shares

pytestmark = [pytest.mark.services, pytest.mark.django_db]

ADULT = ["young adulthood", "middle age", "old age"]


def drawn_job(
    people: list[dict[str, Any]],
    kind: str = "doctor",
    faces: list[dict[str, Any] | None] | None = None,
    policy: PolicyDocument | None = None,
) -> Job:
    """A job of so many pictures, each with one person drawn and, where told, one face read."""
    job = make_job(make_tenant(policy), n=len(people))
    cluster = {"kind": kind, "type": 1, "start": 0, "end": 1, "life_stages": ADULT}
    Job.objects.filter(pk=job.pk).update(text_verdict={"clusters": [cluster], "factors": []})
    for picture in job.pictures.all():
        picture.draws = [{"cluster": 0, **people[picture.index]}]
        face = faces[picture.index] if faces else None
        if face is not None:
            picture.current = picture.versions.create(
                round=1, kind="painted", prompt="", key="quarantine/x", sha256="0" * 64, size=1,
                verdict={"faces": [face]},
            )  # fmt: skip
        picture.save()
    return job


def tallies(kind: str) -> dict[str, Tally]:
    since = uuid7_first(timezone.now() - timedelta(hours=1))
    return {t.attribute: t for t in tallies_read(since) if t.kind == kind}


def of(observed: dict[str, int], expected: dict[str, float]) -> Distribution:
    made = Distribution(Counter(observed))
    made.expected.update(expected)
    return made


def test_draws_are_counted_per_kind_against_the_target() -> None:
    women, men = {"gender": "female", "age": "old age"}, {"gender": "male", "age": None}
    drawn_job([women] * 8 + [men] * 2, kind="surgeon")
    drawn_job([men] * 3, kind="baker")
    found = tallies("surgeon")
    assert list(found) == ["gender", "age"], "race was not drawn"
    gender = found["gender"].drawn
    assert gender.observed == {"female": 8, "male": 2}
    assert gender.expected == {"male": 5.0, "female": 5.0}
    assert gender.distance == pytest.approx(0.3)
    assert found["age"].drawn.expected == pytest.approx(dict.fromkeys(ADULT, 8 / 3))
    assert tallies("baker")["gender"].drawn.number == 3


def test_targets_of_a_policy_are_what_is_aimed_at() -> None:
    policy = PolicyDocument(targets=FairnessTargets(gender={"female": 80, "male": 20}))
    drawn_job([{"gender": "female"}] * 8 + [{"gender": "male"}] * 2, kind="pilot", policy=policy)
    gender = tallies("pilot")["gender"].drawn
    assert gender.expected == pytest.approx({"female": 8.0, "male": 2.0})
    assert gender.distance == pytest.approx(0)


def test_a_face_is_read_as_the_person_that_was_drawn() -> None:
    face = {"gender": "male", "race": "White", "stage": "old age", "box": [0, 0, 1, 1]}
    people = [{"gender": "female", "age": "old age"}] * 3
    drawn_job(people, kind="judge", faces=[face, face, None])
    found = tallies("judge")
    assert found["gender"].read.observed == {"male": 2}
    assert found["age"].read.observed == {"old age": 2}
    assert "race" not in found, "nobody aimed at one"
    (female, read), (male, _) = sorted(found["gender"].rows, key=lambda row: row[0].value)
    assert (female.shown, read.shown if read else None) == (100.0, 0.0)
    assert (male.shown, male.target) == (0.0, 50.0)


def test_what_was_made_before_is_left_out() -> None:
    drawn_job([{"gender": "female"}], kind="sailor")
    assert tallies_read(uuid7_first(timezone.now() + timedelta(seconds=1))) == []


def test_ages_are_those_that_may_be_drawn() -> None:
    policy = PolicyDocument()
    everything = [stage.value for stage in LifeStage]
    assert list(target_shares(policy, Attribute.AGE, everything, sexual=False)) == everything
    grown = target_shares(policy, Attribute.AGE, everything, sexual=True)
    assert grown == pytest.approx(dict.fromkeys(ADULT, 1 / 3))


@pytest.mark.parametrize(
    ("observed", "drifts", "verdict"),
    [
        ({"female": 50, "male": 50}, False, "as it should be"),
        ({"female": 58, "male": 42}, False, "as it should be"),
        ({"female": 80, "male": 20}, True, "drift"),
        ({"female": 100}, True, "drift"),
    ],
)
def test_drift_is_told_where_it_is_no_chance_and_matters(
    observed: dict[str, int], drifts: bool, verdict: str
) -> None:
    found = of(observed, {"female": 50.0, "male": 50.0})
    assert (found.drifts, found.verdict) == (drifts, verdict)


def test_a_small_drift_of_many_does_not_matter_and_few_say_nothing() -> None:
    many = of({"female": 10_500, "male": 9_500}, {"female": 10_000.0, "male": 10_000.0})
    assert many.chance is not None
    assert many.chance < 1e-9
    assert not many.drifts
    few = of({"female": 8}, {"female": 4.0, "male": 4.0})
    assert (few.chance, few.verdict) == (None, "too few to say")


def test_a_value_that_should_not_be_there_is_no_chance() -> None:
    found = of({"female": 40, "male": 40, "other": 20}, {"female": 50.0, "male": 50.0})
    assert found.chance == 0.0
    assert found.drifts
    assert found.shares[-1].value == "other"
    assert found.shares[-1].target == 0.0


@pytest.mark.parametrize(
    ("square", "freedom", "probability"),
    [(3.841, 1, 0.05), (10.828, 1, 0.001), (5.991, 2, 0.05), (18.467, 4, 0.001), (9.236, 5, 0.1)],
)
def test_the_tail_agrees_with_the_tables(square: float, freedom: int, probability: float) -> None:
    assert chi_square_tail(square, freedom) == pytest.approx(probability, rel=0.2)


def test_fair_draws_are_seldom_called_drift() -> None:
    rng = random.Random(11)
    told = 0
    for _ in range(2000):
        counted = Counter(rng.choices(["a", "b", "c", "d", "e"], k=100))
        told += of(dict(counted), dict.fromkeys("abcde", 20.0)).drifts
    assert told <= 6, "one in a thousand"


def test_people_are_counted_in_one_statement() -> None:
    drawn_job([{"gender": "female"}], kind="miner")
    since = uuid7_first(timezone.now() - timedelta(hours=1))
    tallies_read(since)
    with connection.execute_wrapper(_counted(statements := [])):
        tallies_read(since)
    assert len(statements) == 1, json.dumps(statements)


def _counted(statements: list[str]) -> Any:
    def wrap(execute: Any, sql: str, *rest: Any) -> Any:
        statements.append(sql)
        return execute(sql, *rest)

    return wrap
