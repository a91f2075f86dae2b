"""The examples of jobs are true: rules, draws and streams really say that."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from ethical_lens.policy import Policy
from ethical_lens.results import Alignment, AttributeDraw
from ethical_lens.text.aligner import AlignmentError
from ethical_lens.text.choose import scrutinise_with
from ethical_lens.text.edits import merge_edits
from ethical_lens.text.rules import RuleAligner
from jobs.api.example_bodies import (
    BLOCKED,
    DECISIONS,
    END,
    HELD,
    REWORDED,
    SUCCEEDED,
)
from jobs.api.examples import DOCUMENTED
from jobs.models import Job, Picture
from jobs.representation import DecisionOut, TextOutcome, job_event_data

Example = dict[str, Any]


@pytest.mark.parametrize("job", [SUCCEEDED, REWORDED, BLOCKED], ids=lambda job: job["prompt"])
def test_the_rules_say_that_of_the_prompt(job: Example) -> None:
    verdict, _ = scrutinise_with([RuleAligner()], job["prompt"], "", Policy())
    said = TextOutcome.model_validate(verdict.model_dump(mode="json")).model_dump(mode="json")
    assert said | {"factors": sorted(said["factors"])} == job["text"]


@pytest.mark.parametrize("job", [SUCCEEDED, REWORDED], ids=lambda job: job["prompt"])
def test_the_draws_make_that_prompt(job: Example) -> None:
    policy, (picture,) = Policy(), job["pictures"]
    verdict, judge = scrutinise_with([RuleAligner()], job["prompt"], "", policy)
    draws = tuple(AttributeDraw.model_validate(draw) for draw in picture["draws"])
    merged: Alignment = judge.merge(verdict, (draws,), policy)
    assert merged.pictures[0].prompt == picture["prompt"]
    edits = merge_edits(verdict.prompt, picture["prompt"], draws, round=1)
    assert [edit.model_dump(mode="json") for edit in edits] == picture["edits"]


def test_the_rules_cannot_read_the_prompt_that_is_held() -> None:
    with pytest.raises(AlignmentError) as error:
        scrutinise_with([RuleAligner()], HELD["prompt"], "", Policy())
    assert str(error.value) == HELD["explanation"]


def test_decisions_and_ends_are_told_whole() -> None:
    events = DOCUMENTED["GET /jobs/{job_id}/events"].answers[200]
    assert json.loads(events["decision"]["data"]) in DECISIONS
    for decision in DECISIONS:
        assert set(decision) == set(DecisionOut.model_fields)
    assert json.loads(events["end"]["data"]) == END
    told = Job(id=END["id"], created_at=datetime.now(UTC), text_verdict={"labels": ["K0"]})
    (picture,) = (Picture(job=told) for _ in END["pictures"])
    data = job_event_data(told, [picture])
    assert set(data) == set(END)
    assert set(data["pictures"][0]) == set(END["pictures"][0])
