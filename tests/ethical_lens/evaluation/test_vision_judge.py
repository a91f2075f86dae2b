"""A vision model as judge, over real HTTP: what it is shown, and what its answers become."""

import base64
import io
from collections.abc import Iterator

import pytest
from PIL import Image

from ethical_lens.evaluation import metrics
from ethical_lens.evaluation.judging import JudgeUnavailable
from ethical_lens.evaluation.records import JudgeFailure, SeenFace
from ethical_lens.evaluation.vision_judge import JudgeSettings, VisionJudge
from ethical_lens.results import Concept, LifeStage
from ethical_lens.text.llm.errors import LlmNotConfigured
from scripted_llm import Answer, Asked, Json, ScriptedLlm, says

from .making import judge_failed, not_shown, record, shown

RED, BLUE = Image.new("RGB", (2048, 1024), "red"), Image.new("RGB", (8, 8), "blue")


@pytest.fixture
def llm(monkeypatch: pytest.MonkeyPatch) -> Iterator[ScriptedLlm]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with ScriptedLlm() as running:
        monkeypatch.setenv("JUDGE_BASE_URL", running.url)
        monkeypatch.setenv("JUDGE_MODEL", "scripted-eyes")
        monkeypatch.setenv("JUDGE_RETRIES", "0")
        yield running


def report(**values: object) -> Json:
    scores = {concept.value: 0.0 for concept in Concept}
    return {**scores, "people": [], **values}


def shown_picture(asked: Asked) -> Image.Image:
    (part,) = asked.body["messages"][1]["content"]
    head, data = part["image_url"]["url"].split(",")
    assert head == "data:image/png;base64"
    return Image.open(io.BytesIO(base64.b64decode(data)))


def test_each_picture_is_sent_and_gets_its_own_answer(llm: ScriptedLlm) -> None:
    people = [
        {"gender": "female", "group": "Asian", "life_stage": "old age"},
        {"gender": "male", "group": "unclear", "life_stage": "unclear"},
    ]

    def answer(asked: Asked) -> Answer:
        red = shown_picture(asked).getpixel((0, 0)) == (255, 0, 0)
        return says(report(nsfw=0.75, people=people) if red else report(public=1))

    llm.answers(answer)

    one, other = VisionJudge.load().look([RED, BLUE])

    assert one.toxicity == {**dict.fromkeys(Concept, 0.0), Concept.NSFW: 0.75}
    assert one.faces == (
        SeenFace(gender="female", race="Asian", age=LifeStage("old age")),
        SeenFace(gender="male", race=None, age=None),
    )
    assert other.toxicity == {**dict.fromkeys(Concept, 0.0), Concept.PUBLIC: 1.0}
    assert max(shown_picture(asked).width for asked in llm.asked) == 1024
    body = llm.asked[0].body
    assert body["model"] == "scripted-eyes"
    assert body["temperature"] == 0
    assert body["response_format"]["json_schema"]["strict"] is True
    assert set(body["response_format"]["json_schema"]["schema"]["required"]) == {
        *(concept.value for concept in Concept), "people",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("answer", "failure"),
    [
        (says(None, refusal="I would rather not."), JudgeFailure.REFUSED),
        (says("", finish="content_filter"), JudgeFailure.REFUSED),
        (Answer(b"{}", status=400), JudgeFailure.ERROR),
        (Answer(b"{}", status=413), JudgeFailure.ERROR),
        (says("It looks nice to me."), JudgeFailure.UNREADABLE),
        (says(report(nsfw=1.5)), JudgeFailure.UNREADABLE),
        (says({"nsfw": 0.0}), JudgeFailure.UNREADABLE),
        (says(report(people=[{"gender": "x"}])), JudgeFailure.UNREADABLE),
        (says(report(), finish="length"), JudgeFailure.UNREADABLE),
        (Answer(b"<html>"), JudgeFailure.UNREADABLE),
    ],
)
def test_refusals_errors_and_garbage_are_told_apart_and_are_no_figures(
    answer: Answer, failure: JudgeFailure, llm: ScriptedLlm
) -> None:
    llm.answers(answer)

    (opinion,) = VisionJudge.load().look([BLUE])

    assert opinion.failure is failure
    assert opinion.toxicity is None
    assert opinion.faces == ()


@pytest.mark.parametrize("status", [429, 500, 503, 401, 403, 404])
def test_a_judge_that_is_away_or_lets_nobody_in_says_nothing_of_a_picture(
    status: int, llm: ScriptedLlm
) -> None:
    llm.answers(Answer(b"{}", status=status))

    with pytest.raises(JudgeUnavailable, match=f"the judge: the LLM answered {status}"):
        VisionJudge.load().look([BLUE])


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (Answer(b"{}", status=400), "error"),
        (says("How grey."), "unreadable"),
        (says(None, refusal="No."), "refused"),
    ],
)
def test_a_judge_that_says_nothing_of_a_grey_picture_judges_no_other(
    answer: Answer, told: str, llm: ScriptedLlm
) -> None:
    llm.answers(answer, says(report()))
    judge = VisionJudge.load()

    with pytest.raises(JudgeUnavailable, match=f"ended as '{told}': see that JUDGE_MODEL takes"):
        judge.try_out()
    judge.try_out()


def test_without_settings_there_is_no_judge(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("JUDGE_BASE_URL", raising=False)
    with pytest.raises(LlmNotConfigured, match="JUDGE_BASE_URL is missing"):
        JudgeSettings.read({"JUDGE_MODEL": "x"})


def test_a_run_that_nobody_judged_has_no_good_figure() -> None:
    exposure = metrics.exposure(Concept.NSFW)

    assert exposure.value([record("a", not_shown(), judge_failed())]) is None
    assert exposure.value([record("a", not_shown(), shown(nsfw=0.5))]) == 0.25
