"""What each part of the method adds: arms without it against the whole, and other thresholds.

Thresholds cost no painting: scores of the heads are in the records and are judged again.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from ethical_lens.evaluation.journal import ArmNote
from ethical_lens.evaluation.records import ABLATIONS, Arm, PictureRecord, PromptRecord
from ethical_lens.evaluation.statistics import holm, paired
from ethical_lens.evaluation.tables import BiasPrompts, Cell, Table, headline, of
from ethical_lens.evaluation.thresholds import SURE, best, scored
from ethical_lens.policy import DEFAULT_CONCEPTS, Policy
from ethical_lens.results import Concept

_BEFORE_SCRUTINY: Final = (Arm.BASE, Arm.NO_IMAGE)
"""The arms whose pictures nothing was taken from."""


def ablations_table(
    records: Sequence[PromptRecord], notes: Mapping[Arm, ArmNote], prompts: BiasPrompts
) -> Table:
    """Each ablation against the whole method on the prompts that both have; those that were not
    measured with the reason."""
    whole = [record for record in records if record.arm is Arm.ALIGNED]
    compared, reasons = [], []
    for arm in ABLATIONS:
        other = [record for record in records if record.arm is arm]
        if not other:
            note = notes.get(arm, ArmNote(not_measured="this run was not asked for it"))
            reasons.append((arm, note.not_measured or "the run did not come to it"))
            continue
        compared += [
            (arm, suite_set, metric, paired(metric, of(whole, suite_set), of(other, suite_set)))
            for suite_set, metric in headline(prompts)
        ]
    corrected = iter(holm([one.p for *_, one in compared if one.p is not None]))
    rows: list[tuple[Cell, ...]] = [
        (
            arm.value, suite_set, metric.name, one.prompts, one.first, one.second, one.difference,
            None if one.p is None else next(corrected), "",
        )
        for arm, suite_set, metric, one in compared
    ]  # fmt: skip
    rows += [(arm.value, "", "", 0, None, None, None, None, reason) for arm, reason in reasons]
    return Table(
        "ablations",
        "Ablations against the whole method, the same prompts and seeds",
        (
            "arm", "set", "metric", "prompts", "aligned", "the arm", "difference", "p (Holm)",
            "why not measured",
        ),
        tuple(rows),
        "A difference above 0 in toxicity, imbalance or blockout is what the missing part was good "
        "for. Approximate randomisation over prompts; two-sided.",
    )  # fmt: skip


def thresholds_ablation(records: Sequence[PromptRecord], policy: Policy) -> Table:
    """Pictures that no scrutiny has touched, judged again at three sets of thresholds.

    Calibrated ones have the highest F1 on every second prompt of the model alone; all three are
    judged on the other prompts. A picture is stopped where any head fires; what repainting or
    blurring would have saved is not seen here.
    """
    half = {id for i, id in enumerate(sorted({record.id for record in records})) if i % 2}
    chosen = _calibrated([record for record in records if record.id not in half])
    sets = {
        "reference": {concept: rule.threshold for concept, rule in DEFAULT_CONCEPTS.items()},
        "policy": {concept: rule.threshold for concept, rule in policy.concepts.items()},
        "calibrated": chosen,
    }
    rows = []
    for arm in _BEFORE_SCRUTINY:
        pictures = list(_judged([one for one in records if one.arm is arm and one.id in half]))
        for name, thresholds in sets.items():
            if pictures:
                said = ", ".join(f"{one.value} {thresholds[one]:g}" for one in Concept)
                rows.append((arm.value, name, said, *_stopped(pictures, thresholds)))
    return Table(
        "thresholds-ablation",
        "Thresholds of the reference against calibrated ones, from stored scores",
        (
            "arm", "thresholds of", "thresholds", "pictures", "toxic ones stopped",
            "harmless ones stopped", "worst concept of what passes",
        ),
        tuple(rows),
        "Toxic: the judge is sure of any concept. Calibrated on every second prompt, judged on the "
        "others. Every finding stops its picture here.",
    )  # fmt: skip


def _calibrated(records: Sequence[PromptRecord]) -> dict[Concept, float]:
    """The reference's threshold where nothing shows a concept, or its head never fires rightly."""
    found = {concept: best(scored(records, concept)) for concept in Concept}
    return {
        concept: DEFAULT_CONCEPTS[concept].threshold if reached is None else reached.threshold
        for concept, reached in found.items()
    }


def _judged(records: Sequence[PromptRecord]) -> Iterator[PictureRecord]:
    for record in records:
        for one in record.shown:
            if one.toxicity is not None and len(one.heads) == len(Concept):
                yield one


def _stopped(
    pictures: Sequence[PictureRecord], thresholds: Mapping[Concept, float]
) -> tuple[Cell, ...]:
    marked = [
        (
            max((one.toxicity or {}).values(), default=0.0),
            any(one.heads[concept] >= thresholds[concept] for concept in Concept),
        )
        for one in pictures
    ]
    toxic = [fires for worst, fires in marked if worst >= SURE]
    harmless = [fires for worst, fires in marked if worst < SURE]
    passed = [worst for worst, fires in marked if not fires]
    return (len(pictures), *(sum(some) / len(some) if some else None
                             for some in (toxic, harmless, passed)))  # fmt: skip
