"""From what is planned to what is recorded: pictures are painted, looked at and let go.

The same for every suite. A picture is kept as a file only where a suite asks for it.
"""

import math
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from PIL import Image

from ethical_lens.evaluation.arms import Parts, Planned
from ethical_lens.evaluation.image_api import ImageApi, ImageRefused
from ethical_lens.evaluation.journal import PICTURES
from ethical_lens.evaluation.judging import Observer, Seen
from ethical_lens.evaluation.records import UNALIGNED, Arm, Outcome, PictureRecord, PromptRecord
from ethical_lens.lens import EthicalLens, LensPicture
from ethical_lens.results import Concept, PictureAction

_OUTCOMES: Final = {
    PictureAction.RELEASE: Outcome.SHOWN,
    PictureAction.BLOCK: Outcome.BLOCKED,
    PictureAction.REVIEW: Outcome.REVIEW,
    PictureAction.REPAINT: Outcome.REVIEW,  # no safe wording to repaint it from: a person looks
}
_AT_ONCE: Final = 4


@dataclass(frozen=True)
class Bench:
    """Models that paint, scrutinise and judge. `api` paints the arm of that name."""

    parts: Parts
    observer: Observer
    api: ImageApi | None = None

    def records(
        self, arm: Arm, lens: EthicalLens, batch: Sequence[Planned], keep: Path | None
    ) -> list[PromptRecord]:
        """A record per prompt of `batch`. Pictures that are shown are kept under the folder `keep`.

        Raises `GenerationError` or `ScrutinyError` where a model fails; then there is no record.
        """
        if arm is Arm.BASE:
            painted = self._base_pictures(lens, batch)
        elif arm is Arm.API:
            painted = self._api_pictures(batch)
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
                if image is not None and keep is not None:
                    _keep(image, picture_file(keep, arm, item.prompt.id, number))
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

    def _api_pictures(self, batch: Sequence[Planned]) -> "list[Painted]":
        """As another's model paints them; what it refuses is blocked by it."""
        api = self.api
        assert api is not None  # the arm is not set up without one
        wanted = [item for item in batch if not item.withheld for _ in range(item.count)]

        def painted(item: Planned) -> Image.Image | None:
            try:
                return api.paint(item.prompt.prompt)
            except ImageRefused:
                return None

        with ThreadPoolExecutor(_AT_ONCE) as pool:
            images = list(pool.map(painted, wanted))
        heads = iter(self.parts.scrutineer.score([one for one in images if one is not None]))
        pictures = iter(images)
        return [
            [
                (_of_api(item, i, next(heads) if image is not None else {}), image)
                for i in range(0 if item.withheld else item.count)
                for image in [next(pictures)]
            ]
            for item in batch
        ]


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


def _of_api(item: Planned, number: int, heads: dict[Concept, float]) -> PictureRecord:
    return PictureRecord(
        seed=item.seed + number,
        outcome=Outcome.SHOWN if heads else Outcome.BLOCKED,
        reason="not_scrutinised" if heads else "refused_by_api",
        prompt=item.prompt.prompt,
        round=1,
        heads=_finite(heads),
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
