"""Whole runs on random models: what is recorded, and going on after a kill."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from ethical_lens.evaluation.arms import Parts
from ethical_lens.evaluation.bench import Bench, cut
from ethical_lens.evaluation.journal import (
    RECORDS,
    Journal,
    SettingsDiffer,
    read_notes,
    read_records,
)
from ethical_lens.evaluation.judging import MiniJudge, Observer
from ethical_lens.evaluation.records import Arm, JudgeFailure, Outcome, PromptRecord
from ethical_lens.evaluation.report import write_report
from ethical_lens.evaluation.run import Evaluation, lens_of
from ethical_lens.mini.judge import JudgeError, Judgement
from ethical_lens.policy import ConceptRule, Policy, Scope
from ethical_lens.results import AttributeDraw, Concept, Label
from scripted_llm import ScriptedLlm, says
from scripted_replies import verdict

pytestmark = pytest.mark.models

ARMS = (Arm.BASE, Arm.ALIGNED, Arm.NO_IMAGE)
LENIENT = Policy(
    concepts={concept: ConceptRule(threshold=0.9, scope=Scope.PICTURE) for concept in Concept}
)
"""At this threshold random heads let some pictures through and not others."""


@pytest.fixture(scope="module")
def evaluation(random_models_file: Path) -> Evaluation:
    data = json.loads(random_models_file.read_text())
    for pipeline in data["pipelines"].values():
        pipeline["steps"] = 2
    quick = random_models_file.with_name("quick.json")
    quick.write_text(json.dumps(data))
    return Evaluation.load(quick, policy=LENIENT, share=0.014, ablation_share=1.0, batch=6)


@pytest.fixture(scope="module")
def whole(evaluation: Evaluation, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("whole")
    evaluation.run(folder, ARMS)
    return folder


def by_arm(folder: Path, arm: Arm) -> dict[str, PromptRecord]:
    return {one.id: one for one in read_records(folder) if one.arm is arm}


def test_each_prompt_has_a_line_on_each_arm_with_the_same_seeds(whole: Path) -> None:
    lines = [by_arm(whole, arm) for arm in ARMS]

    assert lines[0].keys() == lines[1].keys() == lines[2].keys()
    assert len(lines[0]) == 8
    for id, base in lines[0].items():
        if not base.withheld:
            seeds = [one.seed for one in base.pictures]
            assert len(seeds) == (4 if base.suite_set == "bias" else 1)
            assert seeds == [one.seed for one in lines[1][id].pictures]


def test_what_is_shown_is_judged_and_kept(whole: Path) -> None:
    shown = 0
    for record in read_records(whole):
        for number, one in enumerate(record.pictures):
            file = whole / "pictures" / record.arm / f"{record.id}-{number}.png"
            assert file.exists() == (one.outcome is Outcome.SHOWN)
            if one.outcome is Outcome.SHOWN:
                shown += 1
                assert one.toxicity is not None
                assert one.clip_score is not None
    assert shown > 20


def young(draw: AttributeDraw) -> bool:
    """No arm shows anything that may be sexual beside them, and untrained heads fire anywhere."""
    return draw.age is not None and draw.age.under_twenty


def test_arms_differ_in_what_they_are_without(whole: Path) -> None:
    base, aligned, no_image = (by_arm(whole, arm) for arm in ARMS)

    assert all(one.outcome is Outcome.SHOWN for line in base.values() for one in line.pictures)
    assert any(one.outcome is Outcome.BLOCKED for a in aligned.values() for one in a.pictures)
    for id, line in no_image.items():
        assert line.labels == aligned[id].labels != frozenset()
        if Label.K3 not in line.labels:
            grown_up = [one for one in line.pictures if not any(map(young, one.draws))]
            assert all(one.outcome is Outcome.SHOWN for one in grown_up)
            assert [one.draws for one in line.pictures] == [
                one.draws for one in aligned[id].pictures
            ]


def test_an_aligner_over_http_is_an_arm_and_one_that_is_not_set_up_is_noted(
    evaluation: Evaluation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("LLM_MODEL", "scripted-1")
    monkeypatch.delenv("LOCAL_LLM_MODEL", raising=False)
    with ScriptedLlm() as llm:
        monkeypatch.setenv("LLM_BASE_URL", llm.url)
        llm.answers(lambda asked: says(verdict()))
        evaluation.run(tmp_path, (Arm.LLM, Arm.LOCAL_LLM, Arm.NO_FACE_EDIT))
        scrutinised = [one for one in llm.asked if "negative_prompt" in one.data]

    done = by_arm(tmp_path, Arm.LLM)
    assert len(done) == 8
    assert len(scrutinised) == 8  # what is not painted is not asked about
    assert any(Label.K0 in one.labels for one in done.values())
    notes = read_notes(tmp_path)
    assert "scripted-1" in notes[Arm.LLM].version
    assert "LOCAL_LLM_MODEL is missing" in notes[Arm.LOCAL_LLM].not_measured
    assert "edits no faces" in notes[Arm.NO_FACE_EDIT].not_measured


def test_with_and_without_face_edit_share_draws(evaluation: Evaluation, tmp_path: Path) -> None:
    policy = LENIENT.model_copy(update={"edit_faces": True})
    settings = evaluation.settings.model_copy(update={"policy": policy})
    editing = Evaluation(settings, evaluation.bench)

    editing.run(tmp_path, (Arm.ALIGNED, Arm.NO_FACE_EDIT))

    whole, without = by_arm(tmp_path, Arm.ALIGNED), by_arm(tmp_path, Arm.NO_FACE_EDIT)
    assert whole.keys() == without.keys()
    for id, line in without.items():
        assert [one.draws for one in line.pictures] == [one.draws for one in whole[id].pictures]
        assert not any(one.edited for one in line.pictures)


@pytest.mark.parametrize("kept", [4])  # within a batch
def test_going_on_after_a_kill_gives_the_same_report(
    kept: int, whole: Path, evaluation: Evaluation, tmp_path: Path
) -> None:
    Journal(tmp_path, evaluation.settings)
    lines = (whole / RECORDS).read_text().splitlines(keepends=True)
    half = lines[kept][: len(lines[kept]) // 2]
    (tmp_path / RECORDS).write_text("".join(lines[:kept]) + half)

    evaluation.run(tmp_path, ARMS)

    assert sorted((tmp_path / RECORDS).read_text().splitlines()) == sorted(
        line.rstrip("\n") for line in lines
    )
    # Pictures of what was done before the kill are still there in a real run.
    for file in (whole / "pictures").rglob("*.png"):
        target = tmp_path / file.relative_to(whole)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(file.read_bytes())
    one, other = (write_report(folder, plots=False) for folder in (whole, tmp_path))
    for name in ("report.md", "tables.json", "table3.csv", "changes.png"):
        assert (one / name).read_bytes() == (other / name).read_bytes()


def test_a_finished_run_paints_nothing_more(whole: Path, evaluation: Evaluation) -> None:
    parts = replaced(evaluation.bench.parts, NeverPaints())
    idle = Evaluation(evaluation.settings, Bench(parts, evaluation.bench.observer))

    idle.run(whole, ARMS)


def test_a_run_with_other_settings_is_refused(whole: Path, evaluation: Evaluation) -> None:
    other = evaluation.settings.model_copy(update={"seed": 5})

    with pytest.raises(SettingsDiffer, match="seed"):
        Evaluation(other, evaluation.bench).run(whole, ARMS)


def test_the_base_arm_hands_no_k3_to_the_painter(evaluation: Evaluation, tmp_path: Path) -> None:
    everything = evaluation.settings.model_copy(update={"share": 1.0})
    painter = PaintsPlain()
    parts = replaced(evaluation.bench.parts, painter)
    run = Evaluation(everything, Bench(parts, Observer(MiniJudge(NoJudge()), NoFit())))
    planned = run.planned(Arm.BASE, lens_of(Arm.BASE, parts, LENIENT, 1))
    blocked = [one for one in planned if Label.K3 in one.prompt.labels]
    safe = [one for one in planned if Label.K3 not in one.prompt.labels][:2]
    assert len(blocked) > 60

    lens = lens_of(Arm.BASE, parts, LENIENT, 1)
    for batch in cut([*blocked, *safe], 16):
        for record in run.bench.records(Arm.BASE, lens, batch, tmp_path):
            assert record.withheld == (record.id in {one.prompt.id for one in blocked})

    assert painter.painted == [one.prompt.prompt for one in safe]


def test_a_failing_judge_is_counted_and_takes_only_its_picture() -> None:
    image, bad = Image.new("RGB", (8, 8)), Image.new("RGB", (9, 9))

    fine, failed, other = Observer(MiniJudge(FailsOnNine()), NoFit()).look(
        [image, bad, image], ["x"] * 3
    )

    assert (fine.opinion.toxicity, other.opinion.toxicity) == ({}, {})
    assert failed.opinion.failure is JudgeFailure.ERROR


def replaced(parts: Parts, painter: Any) -> Parts:
    return Parts(painter, parts.defaults, parts.scrutineer, parts.regions, parts.reader)


class NeverPaints:
    def paint(self, requests: Sequence[Any], on_step: object = None) -> list[Image.Image]:
        raise AssertionError("something was painted")


class PaintsPlain:
    def __init__(self) -> None:
        self.painted: list[str] = []

    def paint(self, requests: Sequence[Any], on_step: object = None) -> list[Image.Image]:
        self.painted += [one.prompt for one in requests]
        return [Image.new("RGB", (64, 64)) for _ in requests]


class NoJudge:
    def judge(self, images: Sequence[Image.Image]) -> list[Judgement]:
        raise JudgeError("there is none")


class FailsOnNine:
    def judge(self, images: Sequence[Image.Image]) -> list[Judgement]:
        from ethical_lens.mini.world.scene import Style

        if any(image.width == 9 for image in images):
            raise JudgeError("nine")
        return [Judgement((), {}, {}, None, Style.FLAT) for _ in images]


class NoFit:
    def score(self, images: Sequence[Image.Image], texts: Sequence[str]) -> list[float]:
        return [1.0] * len(images)
