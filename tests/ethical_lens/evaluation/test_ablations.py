"""Arms without a part: what is set up, what is not measured and why, and what the tables say."""

import json
from pathlib import Path
from typing import Any, cast

import pytest

from ethical_lens.evaluation.ablations import ablations_table, thresholds_ablation
from ethical_lens.evaluation.arms import ArmNotSetUp, Parts, aligner_version, lens_of
from ethical_lens.evaluation.goals import goals_table
from ethical_lens.evaluation.journal import ARMS, ArmNote, Journal, SettingsDiffer, read_notes
from ethical_lens.evaluation.records import ALIGNERS, Arm
from ethical_lens.evaluation.tables import OWN_BIAS
from ethical_lens.policy import Policy

from .making import OPEN, TOXIC, face, record, shown
from .test_journal import SETTINGS

NO_PARTS = Parts(*(cast(Any, None) for _ in range(5)))


@pytest.fixture(autouse=True)
def no_llm(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LLM_BASE_URL", "LLM_MODEL", "LOCAL_LLM_MODEL"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize(
    ("arm", "reason"),
    [
        (Arm.RULES, "this is the arm aligned"),
        (Arm.NO_FACE_EDIT, "edits no faces"),
        (Arm.LLM, "LLM_BASE_URL is missing"),
        (Arm.LOCAL_LLM, "LOCAL_LLM_MODEL is missing"),
    ],
)
def test_an_arm_that_is_not_set_up_says_why(arm: Arm, reason: str) -> None:
    with pytest.raises(ArmNotSetUp, match=reason):
        lens_of(arm, NO_PARTS, Policy(), 1)


def test_an_arm_of_an_aligner_has_that_one_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLM_BASE_URL", "http://127.0.0.1:1/v1")
    monkeypatch.setenv("LLM_MODEL", "some-model")
    both = Policy(aligners=("llm", "rules"))

    for arm in (Arm.LLM, Arm.RULES):
        lens = lens_of(arm, NO_PARTS, both, 1)
        assert [one.name for one in lens.aligners] == [ALIGNERS[arm]]
    assert "some-model" in aligner_version(Arm.LLM, lens_of(Arm.LLM, NO_PARTS, both, 1))
    assert aligner_version(Arm.ALIGNED, lens_of(Arm.ALIGNED, NO_PARTS, both, 1)) == ""


def test_notes_are_kept_and_another_aligner_is_refused(tmp_path: Path) -> None:
    journal = Journal(tmp_path, SETTINGS)
    journal.note(Arm.LLM, ArmNote(not_measured="nothing is set"))
    journal.note(Arm.LLM, ArmNote(version="one"))
    journal.append([record(OPEN[0].id, shown(), arm=Arm.LLM)])

    Journal(tmp_path, SETTINGS).note(Arm.LLM, ArmNote(not_measured="no longer set"))
    assert read_notes(tmp_path)[Arm.LLM] == ArmNote(version="one")
    with pytest.raises(SettingsDiffer, match="aligner-llm with another model"):
        Journal(tmp_path, SETTINGS).note(Arm.LLM, ArmNote(version="two"))
    assert list(json.loads((tmp_path / ARMS).read_text())) == ["aligner-llm"]


def test_what_is_missing_shows_as_a_difference_and_absent_arms_with_their_reason() -> None:
    records = [record(one.id, shown(nsfw=0.1), suite_set="toxicity") for one in TOXIC[:40]]
    records += [
        record(one.id, shown(nsfw=0.9), suite_set="toxicity", arm=Arm.NO_IMAGE)
        for one in TOXIC[:20]
    ]

    table = ablations_table(records, {Arm.LLM: ArmNote(not_measured="no key")}, OWN_BIAS)

    (nsfw,) = [row for row in table.rows if row[:3] == ("no-image", "toxicity", "nsfw")]
    assert nsfw[3] == 20
    assert nsfw[6] == pytest.approx(0.8)
    assert cast(float, nsfw[7]) < 0.05
    reasons = {row[0]: row[8] for row in table.rows if row[8]}
    assert reasons["aligner-llm"] == "no key"
    assert reasons["no-text"] == "this run was not asked for it"
    assert "no-image" not in reasons
    assert "| aligner-llm |  |  | 0 | not measured |" in table.markdown()


def test_thresholds_are_judged_again_on_other_prompts_than_they_were_chosen_on() -> None:
    # Every head gives 0.4 to what is toxic and 0.2 to the rest: only a calibrated one sees it.
    records = [
        record(
            one.id,
            shown(nsfw=1.0 if i % 4 < 2 else 0.0, heads=0.4 if i % 4 < 2 else 0.2),
            arm=Arm.BASE,
            suite_set="toxicity",
        )
        for i, one in enumerate(sorted(TOXIC[:40], key=lambda one: one.id))
    ]

    rows = {row[1]: row for row in thresholds_ablation(records, Policy()).rows}

    assert rows["reference"][3:] == (20, 0.0, 0.0, 0.5)
    assert rows["policy"][3:] == rows["reference"][3:]
    assert rows["calibrated"][3:] == (20, 1.0, 0.0, 0.0)


def test_a_missed_goal_stands_beside_the_same_figure_without_a_part() -> None:
    records = []
    for one in OPEN[:12]:
        records += [
            record(one.id, shown(face()), arm=Arm.BASE),
            record(one.id, shown(face(), face(), face("female"))),
            record(one.id, shown(face()), arm=Arm.NO_FACE_EDIT),
        ]

    table = goals_table(records)

    (gender,) = [row for row in table.rows if row[0] == "gender: imbalance"]
    assert gender[3] == "**no**"
    assert gender[6] == "no-face-edit 1.000 (aligned 0.333)"
