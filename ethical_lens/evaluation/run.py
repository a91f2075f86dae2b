"""Runs a suite: every arm over every prompt, a line per prompt, on from where it was interrupted.

Batches are cut from the plan before anything is painted, and one that was interrupted is painted
whole again: pixels depend on their batch to within rounding, and figures would too.
"""

import hashlib
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from PIL import Image
from tqdm import tqdm

from ethical_lens.evaluation.arms import (
    ABLATIONS,
    ALIGNERS,
    UNALIGNED,
    ArmNotSetUp,
    OwnPrompt,
    Parts,
    Planned,
    aligner_version,
    lens_of,
    plan,
    subset,
)
from ethical_lens.evaluation.clip_score import ClipScorer
from ethical_lens.evaluation.journal import (
    PICTURES,
    ArmNote,
    EvaluationError,
    Journal,
    Settings,
)
from ethical_lens.evaluation.judging import MiniJudge, Observer, Seen
from ethical_lens.evaluation.prompts.own import (
    BIAS,
    TOXICITY,
    bias_prompts,
    csv_bytes,
    toxicity_prompts,
)
from ethical_lens.evaluation.records import Arm, Outcome, PictureRecord, PromptRecord
from ethical_lens.generation.painter import load_painter
from ethical_lens.image.face_readers import load_face_reader
from ethical_lens.image.regions import RegionFinder
from ethical_lens.image.scrutineer import Scrutineer
from ethical_lens.lens import EthicalLens, LensPicture
from ethical_lens.mini import weights
from ethical_lens.mini.judge import Judge
from ethical_lens.policy import Policy
from ethical_lens.results import Concept, PictureAction
from ethical_lens.sources import MINI, ModelSources, digest_of
from ethical_lens.text.choose import load_aligners

SUITE: Final = "mini"
ABLATION_SHARE: Final = 0.25
SEED: Final = 909_401
BATCH: Final = 16
_JUDGE: Final = weights.FOLDER / "judge"
_OUTCOMES: Final = {
    PictureAction.RELEASE: Outcome.SHOWN,
    PictureAction.BLOCK: Outcome.BLOCKED,
    PictureAction.REVIEW: Outcome.REVIEW,
    PictureAction.REPAINT: Outcome.REVIEW,  # no safe wording to repaint it from: a person looks
}


@dataclass(frozen=True)
class Evaluation:
    """A suite with its models loaded, ready to run."""

    settings: Settings
    parts: Parts
    observer: Observer

    @classmethod
    def load(
        cls,
        models: str | Path = MINI,
        *,
        pipeline: str | None = None,
        policy: Policy | None = None,
        share: float = 1.0,
        ablation_share: float = ABLATION_SHARE,
        seed: int = SEED,
        batch: int = BATCH,
    ) -> "Evaluation":
        """The miniature suite on a preset or file of models; `pipeline` is its first unless named,
        and `policy` the published one with face editing.

        Raises `EvaluationError` for a share that is none, and `SourcesError`,
        `PipelineUnavailable`, `ScrutinyUnavailable` or `JudgeError` with what is missing.
        """
        if not (0 < share <= 1 and 0 < ablation_share <= 1 and batch >= 1):
            raise EvaluationError("a share is above 0 and at most 1, a batch at least 1")
        policy, sources = policy or Policy(edit_faces=True), ModelSources.read(models)
        name = pipeline or next(iter(sources.pipelines))
        scrutineer = Scrutineer.load(sources)
        regions = RegionFinder.load(sources.regions, sources.device)
        parts = Parts(
            load_painter(sources, name),
            sources.pipelines[name],
            scrutineer,
            regions,
            load_face_reader(sources, scrutineer, regions),
        )
        digests = {
            **scrutineer.digests,
            "pipeline": digest_of(sources.pipeline(name)),
            "judge": digest_of(str(_JUDGE)),
            "prompts": f"sha256:{hashlib.sha256(csv_bytes()).hexdigest()}",
            "painting": sources.pipelines[name]
            .model_copy(update={"source": "-"})
            .model_dump_json(),
        } | {f"aligner {one.name}": one.version for one in load_aligners(policy)}
        settings = Settings(
            suite=SUITE,
            models=str(models),
            pipeline=name,
            share=share,
            ablation_share=ablation_share,
            per_toxicity_prompt=1,
            per_bias_prompt=4,
            seed=seed,
            batch=batch,
            policy=policy,
            digests=digests,
        )
        fit = ClipScorer.load(sources.clip, sources.device)
        observer = Observer(MiniJudge(Judge.load(_JUDGE)), fit)
        return cls(settings, parts, observer)

    def run(self, folder: Path, arms: Sequence[Arm] = tuple(Arm)) -> None:
        """Paint and judge what `folder` does not have yet. An arm that is not set up is noted there
        with the reason.

        Raises `SettingsDiffer`, and `GenerationError` or `ScrutinyError` where a model fails:
        what is done stays done.
        """
        journal = Journal(folder, self.settings)
        for arm in arms:
            try:
                lens = lens_of(arm, self.parts, self.settings.policy, self.settings.seed)
            except ArmNotSetUp as error:
                journal.note(arm, ArmNote(not_measured=str(error)))
                continue
            journal.note(arm, ArmNote(version=aligner_version(arm, lens)))
            batches = list(cut(self.planned(arm, lens), self.settings.batch))
            with tqdm(total=sum(map(len, batches)), desc=arm.value, unit="prompt") as bar:
                for batch in batches:
                    if not all(journal.has(arm, one.suite_set, one.prompt.id) for one in batch):
                        journal.append(self._records(arm, lens, batch, folder))
                    bar.update(len(batch))

    def planned(self, arm: Arm, lens: EthicalLens) -> list[Planned]:
        """All that `arm` is to do, in its order."""
        settings = self.settings
        return [
            *self._planned(arm, lens, TOXICITY, toxicity_prompts(), settings.per_toxicity_prompt),
            *self._planned(arm, lens, BIAS, bias_prompts(), settings.per_bias_prompt),
        ]

    def _planned(
        self, arm: Arm, lens: EthicalLens, suite_set: str, prompts: Sequence[OwnPrompt], count: int
    ) -> list[Planned]:
        settings = self.settings
        share = settings.share * (settings.ablation_share if arm in ABLATIONS else 1.0)
        numbered = list(enumerate(prompts))
        # Draws follow the whole set, so that arms share them; an aligner that may cost something
        # is asked for no more than is painted.
        if arm in ALIGNERS:
            numbered, share = subset(numbered, share), 1.0
        planned = plan(
            arm, lens, settings.policy, suite_set, numbered, count=count, seed=settings.seed
        )
        return subset(planned, share)

    def _records(
        self, arm: Arm, lens: EthicalLens, batch: Sequence[Planned], folder: Path
    ) -> list[PromptRecord]:
        if arm is Arm.BASE:
            painted = self._base_pictures(lens, batch)
        else:
            painted = self._aligned_pictures(lens, batch)
        shown = [
            (one, image, item)
            for item, pictures in zip(batch, painted, strict=True)
            for one, image in pictures
            if image is not None
        ]
        seen = iter(
            self.observer.look(
                [image for _, image, _ in shown], [item.prompt.prompt for _, _, item in shown]
            )
        )
        records = []
        for item, pictures in zip(batch, painted, strict=True):
            judged = tuple(
                one if image is None else _judged(one, next(seen)) for one, image in pictures
            )
            for number, (_, image) in enumerate(pictures):
                if image is not None:
                    _keep(image, picture_file(folder, arm, item.prompt.id, number))
            records.append(_record(arm, item, judged))
        return records

    def _base_pictures(self, lens: EthicalLens, batch: Sequence[Planned]) -> "list[Painted]":
        """The prompts as they are, and what the heads would have said of their pictures."""
        wanted = [
            (item.prompt.prompt, item.seed + i)
            for item in batch
            if not item.withheld
            for i in range(item.count)
        ]
        images = lens.paint([text for text, _ in wanted], [seed for _, seed in wanted])
        scores = self.parts.scrutineer.score(images)
        pictures = iter(
            (
                PictureRecord(
                    seed=seed,
                    outcome=Outcome.SHOWN,
                    reason="not_scrutinised",
                    prompt=text,
                    round=1,
                    heads=_finite(heads),
                ),
                image,
            )
            for (text, seed), image, heads in zip(wanted, images, scores, strict=True)
        )
        return [
            [] if item.withheld else [next(pictures) for _ in range(item.count)] for item in batch
        ]

    def _aligned_pictures(self, lens: EthicalLens, batch: Sequence[Planned]) -> "list[Painted]":
        verdicts = [(item.alignment, item.seed) for item in batch if item.alignment]
        done = iter(lens.complete([one for one, _ in verdicts], [seed for _, seed in verdicts]))
        painted = []
        for item in batch:
            if item.alignment is None:
                painted.append(_unpainted(item, "no_verdict"))
            else:
                pictures = [_of_lens(picture) for picture in next(done).pictures]
                painted.append(pictures or _unpainted(item, "text_blocked"))
        return painted


Painted = list[tuple[PictureRecord, Image.Image | None]]
"""The pictures of a prompt before they are judged."""


def cut(planned: Sequence[Planned], batch: int) -> Iterator[list[Planned]]:
    """`planned` in order, in pieces of at most `batch` pictures, or of one prompt with more."""
    piece, pictures = list[Planned](), 0
    for one in planned:
        if piece and pictures + one.count > batch:
            yield piece
            piece, pictures = [], 0
        piece.append(one)
        pictures += one.count
    if piece:
        yield piece


def picture_file(folder: Path, arm: Arm, id: str, number: int) -> Path:
    """Where a run keeps a picture that is shown."""
    return folder / PICTURES / arm.value / f"{id}-{number}.png"


def _keep(image: Image.Image, file: Path) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    image.save(file)


def _of_lens(picture: LensPicture) -> tuple[PictureRecord, Image.Image | None]:
    verdict = picture.outcome.final
    return (
        PictureRecord(
            seed=picture.seed,
            outcome=_OUTCOMES[verdict.action],
            reason=verdict.reason,
            prompt=picture.prompt,
            round=picture.round,
            blurred=picture.outcome.blurred is not None,
            edited=picture.outcome.edited is not None,
            draws=picture.draws,
            heads=_finite(verdict.scores),
        ),
        picture.image,
    )


def _unpainted(item: Planned, reason: str) -> Painted:
    """One record for each picture that was asked for and is not there; none if withheld."""
    outcome = Outcome.BLOCKED if item.alignment else Outcome.REVIEW
    return [
        (PictureRecord(seed=item.seed + i, outcome=outcome, reason=reason), None)
        for i in range(0 if item.withheld else item.count)
    ]


def _judged(picture: PictureRecord, seen: Seen) -> PictureRecord:
    return picture.model_copy(
        update={
            "toxicity": seen.opinion.toxicity,
            "faces": seen.opinion.faces,
            "judge_failure": seen.opinion.failure,
            "clip_score": seen.clip_score,
            "read_faces": seen.read_faces,
            "measured": seen.measured,
        }
    )


def _record(arm: Arm, item: Planned, pictures: tuple[PictureRecord, ...]) -> PromptRecord:
    # The model alone has no text scrutiny, and neither has the arm without it.
    aligned = item.alignment if arm not in UNALIGNED else None
    verdict = aligned.verdict if aligned else None
    return PromptRecord(
        suite_set=item.suite_set,
        id=item.prompt.id,
        arm=arm,
        labels=verdict.labels if verdict else frozenset(),
        factors=verdict.factors if verdict else frozenset(),
        aligned_prompt=verdict.prompt if verdict else "",
        withheld=item.withheld,
        pictures=pictures,
    )


def _finite(scores: dict[Concept, float]) -> dict[Concept, float]:
    return {concept: round(score, 6) for concept, score in scores.items() if math.isfinite(score)}
