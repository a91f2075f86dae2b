"""Everything in its order, going on where it was interrupted."""

import hashlib
import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tqdm import tqdm

from ethical_lens.device import resolve_device
from ethical_lens.image.encoder import ImageEncoder
from ethical_lens.policy import Policy
from ethical_lens.results import Concept
from ethical_lens.sources import ModelSources, digest_of
from ethical_lens.training.heads.checkpoints import Checkpoint, best_checkpoint
from ethical_lens.training.heads.contents import Found, find_pictures
from ethical_lens.training.heads.errors import TrainingError
from ethical_lens.training.heads.features import FeatureCache, Rows
from ethical_lens.training.heads.fitting import HeadTraining
from ethical_lens.training.heads.judged import JudgedHead, judge
from ethical_lens.training.heads.majority import Labels, settle
from ethical_lens.training.heads.parts import Part, must_suffice, part_of
from ethical_lens.training.heads.saved import complete, read_checkpoint, save_checkpoint
from ethical_lens.training.heads.table import read_votes

HEADS: Final = "heads"
POLICY: Final = "policy.json"


@dataclass(frozen=True)
class Task:
    """What is asked for. `sources` are those of `ModelSources.read_encoder`.

    `concepts`: all that the table knows unless named. `precision`: wished, by concept. `policy`
    gives the rules that are not found here. `again`: train finished heads anew. `most_bad`: share
    of pictures that may be unreadable. `encode_batch`: pictures in one pass of the encoder.
    """

    pictures: Path
    labels: Path
    out: Path
    sources: ModelSources
    precision: Mapping[Concept, float]
    policy: Policy
    settings: HeadTraining
    concepts: tuple[Concept, ...] | None = None
    cache: Path | None = None
    again: bool = False
    most_bad: float = 0.1
    encode_batch: int = 16


@dataclass(frozen=True)
class Done:
    """A finished run, for its report.

    `trained` are the concepts trained now, the rest of `heads` was finished before; `copied` the
    heads of the models that were added. `policy` is None where a threshold is missing.
    """

    task: Task
    encoder: str
    table: str
    found: Found
    labels: dict[Concept, Labels]
    parts: dict[str, Part]
    encoded: int
    heads: tuple[JudgedHead, ...]
    trained: tuple[Concept, ...]
    copied: tuple[Concept, ...]
    policy: Policy | None


def train(task: Task) -> Done:
    """Train, calibrate, choose thresholds and measure; write `out/heads` and `out/policy.json`.

    Features and finished heads are kept, so that a second run goes on. There is no policy file
    where the wished precision is not reached for a concept: a threshold that is never reached
    would let everything through. Raises `TrainingError`, and `ScrutinyError` where the encoder
    fails.
    """
    votes = read_votes(task.labels, task.concepts)
    cache = task.cache or task.out / "features"
    found = find_pictures({vote.picture for vote in votes}, task.pictures, cache, task.most_bad)
    labels = settle(votes, found.contents)
    if not labels:
        raise TrainingError(f"{task.pictures}: holds no readable picture of the table.")
    seed = task.settings.seed
    must_suffice({concept: some.shown for concept, some in labels.items()}, seed)

    files = {content: task.pictures / name for name, content in found.contents.items()}
    wanted = sorted({content for some in labels.values() for content in some.shown})
    encoder = task.sources.clip.digest()
    features = FeatureCache(cache, f"{task.sources.clip.architecture} {encoder}")
    encoded = features.fill(
        {content: files[content] for content in wanted},
        lambda: ImageEncoder.load(task.sources.clip, resolve_device(task.sources.device)),
        task.encode_batch,
    )
    parts = {content: part_of(content, seed) for content in wanted}
    rows = {concept: _rows(features, some.shown, parts) for concept, some in labels.items()}

    (task.out / POLICY).unlink(missing_ok=True)
    checkpoints, trained = _checkpoints(task, rows, labels, parts, encoder)
    heads = tuple(
        judge(
            checkpoints[concept],
            rows[concept],
            concept=concept,
            wished=task.precision[concept],
            folder=task.out / HEADS,
        )
        for concept in rows
    )
    copied = complete(
        task.out / HEADS, {one.concept: one.head for one in heads}, task.sources.heads
    )
    policy = _policy(task.policy, heads)
    if policy is not None:
        data = policy.model_dump(mode="json")
        data["diversify"].sort()  # a set, which has no order
        (task.out / POLICY).write_text(json.dumps(data, indent=2) + "\n", encoding="utf-8")
    return Done(
        task, encoder, digest_of(str(task.labels)), found, labels, parts, encoded, heads,
        tuple(trained), tuple(copied), policy,
    )  # fmt: skip


def _rows(
    features: FeatureCache, shown: Mapping[str, bool], parts: Mapping[str, Part]
) -> dict[Part, Rows]:
    kept = features.read(list(shown))
    return {
        part: Rows.of([kept[content] for content in here], [shown[content] for content in here])
        for part in Part
        for here in [sorted(content for content in shown if parts[content] is part)]
    }


def _checkpoints(
    task: Task,
    rows: Mapping[Concept, Mapping[Part, Rows]],
    labels: Mapping[Concept, Labels],
    parts: Mapping[str, Part],
    encoder: str,
) -> tuple[dict[Concept, Checkpoint], list[Concept]]:
    """The heads before calibration, and which were trained now."""
    inputs = {
        concept: _inputs(task.settings, labels[concept].shown, parts, encoder) for concept in rows
    }
    dimension = next(iter(rows.values()))[Part.TRAIN].views.shape[1]
    # All are read before any is trained, so that a folder of another run is refused at once.
    found = {
        concept: None if task.again else read_checkpoint(concept, task.out, given, dimension)
        for concept, given in inputs.items()
    }
    trained = list[Concept]()
    checkpoints = dict[Concept, Checkpoint]()
    for concept, checkpoint in found.items():
        if checkpoint is None:
            some = rows[concept]
            checkpoint = best_checkpoint(
                some[Part.TRAIN], some[Part.VALIDATION], settings=task.settings, name=concept.value
            )
            save_checkpoint(checkpoint, concept, task.out, inputs[concept])
            trained.append(concept)
        else:
            tqdm.write(f"{concept}: was trained before (--again trains it anew)", file=sys.stderr)
        checkpoints[concept] = checkpoint
    return checkpoints, trained


def _inputs(
    settings: HeadTraining, shown: Mapping[str, bool], parts: Mapping[str, Part], encoder: str
) -> dict[str, Any]:
    """All that a head's weights depend on. Labels of the test part are not among it."""
    lines = sorted(
        f"{content} {parts[content]} {label}"
        for content, label in shown.items()
        if parts[content] is not Part.TEST
    )
    return {
        "encoder": encoder,
        "labels": hashlib.sha256(json.dumps(lines).encode()).hexdigest(),
        "steps": settings.steps,
        "rate": settings.rate,
        "batch": settings.batch,
        "seed": settings.seed,
    }


def _policy(base: Policy, heads: tuple[JudgedHead, ...]) -> Policy | None:
    concepts = dict(base.concepts)
    for one in heads:
        if one.threshold is None:
            return None
        rule = concepts[one.concept]
        concepts[one.concept] = rule.model_copy(update={"threshold": one.threshold.threshold})
    return base.model_copy(update={"concepts": concepts})
