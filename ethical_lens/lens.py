"""The whole method in one process: a prompt in, pictures that may be shown out.

The service runs the same steps as stages of a job; this is for scripts, research and comparison.
"""

import copy
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice
from pathlib import Path
from typing import NamedTuple, Self

from PIL import Image

from ethical_lens.decide import decide_text
from ethical_lens.generation.painter import Painter, load_painter
from ethical_lens.generation.request import PaintRequest
from ethical_lens.image.diffusion_editor import DiffusionEditor
from ethical_lens.image.face_edit import Candidate, FaceEditor, edit_faces
from ethical_lens.image.face_readers import load_face_reader
from ethical_lens.image.readings import ReadsFaces
from ethical_lens.image.regions import RegionFinder
from ethical_lens.image.scrutineer import Scrutineer
from ethical_lens.image.scrutinise import ScrutinyOutcome, ScrutinyRequest, scrutinise
from ethical_lens.policy import Policy
from ethical_lens.results import (
    Alignment,
    AttributeDraw,
    PictureAction,
    PicturePrompt,
    TextAction,
    TextVerdict,
)
from ethical_lens.sources import MINI, ModelSources, PipelineSource, SourcesError, digest_of
from ethical_lens.text.acting import act_on
from ethical_lens.text.aligner import AlignmentError, PromptAligner, Unfit
from ethical_lens.text.choose import load_aligners, revise_with, scrutinise_with
from ethical_lens.text.deck import Deck, draw_pictures

OnStep = Callable[[int, int, int], None]
"""Called with the round, 1 or 2, the denoising step that is done, and their number."""


@dataclass(frozen=True)
class LensPicture:
    """What became of one picture: `image` is there only where it may be shown.

    `prompt`, `draws` and `outcome` are of the last `round`, 1 or 2; `before` is the first round of
    a picture that was painted twice.
    """

    seed: int
    prompt: str
    draws: tuple[AttributeDraw, ...]
    round: int
    outcome: ScrutinyOutcome
    image: Image.Image | None
    before: "LensPicture | None" = None


@dataclass(frozen=True)
class Generation:
    """The verdict on the prompt, and its pictures: none where the prompt was blocked."""

    verdict: TextVerdict
    pictures: tuple[LensPicture, ...]


class _Item(NamedTuple):
    """A picture to paint, and the verdict it belongs to."""

    verdict: TextVerdict
    picture: PicturePrompt
    seed: int
    lora: str


class EthicalLens:
    """Alignment, painter and scrutiny with one policy. Load it once; not for two threads at once.

    Keeps the decks of its draws, so attributes stay balanced over all it generates. `editor` is for
    policies with `edit_faces`; unless it is given, faces are painted anew by the painter. `judges`
    say what `paint` refuses; the policy's aligners unless given.
    """

    def __init__(
        self,
        policy: Policy,
        painter: Painter,
        defaults: PipelineSource,
        scrutineer: Scrutineer,
        regions: RegionFinder,
        reader: ReadsFaces,
        *,
        aligners: Sequence[PromptAligner] | None = None,
        judges: Sequence[PromptAligner] | None = None,
        editor: FaceEditor | None = None,
        rng: random.Random | None = None,
    ) -> None:
        self._policy = policy
        self._aligners = load_aligners(policy) if aligners is None else tuple(aligners)
        self._judges = self._aligners if aligners is None else None
        if judges is not None:
            self._judges = tuple(judges)
        self._painter = painter
        self._defaults = defaults
        self._scrutineer = scrutineer
        self._regions = regions
        self._reader = reader
        self._editor = editor
        if policy.edit_faces and editor is None:
            self._editor = DiffusionEditor(painter)
        self._rng = rng or random.SystemRandom()
        self._decks: dict[str, Deck] = {}
        self._name = ""
        self._sources: ModelSources | None = None

    @classmethod
    def load(
        cls,
        models: str | Path = MINI,
        policy: Policy | None = None,
        *,
        pipeline: str | None = None,
        rng: random.Random | None = None,
    ) -> Self:
        """Load a preset or a file of models (docs/models.md); `pipeline` is its first unless named.

        Raises `NotAllowed` for a pipeline that the policy does not name, and `SourcesError`,
        `PipelineUnavailable` or `ScrutinyUnavailable` with what is missing.
        """
        sources, policy = ModelSources.read(models), policy or Policy()
        name = pipeline or next(iter(sources.pipelines))
        policy.check_model(name)
        scrutineer = Scrutineer.load(sources)
        regions = RegionFinder.load(sources.regions, sources.device)
        lens = cls(
            policy,
            load_painter(sources, name),
            sources.pipelines[name],
            scrutineer,
            regions,
            load_face_reader(sources, scrutineer, regions),
            rng=rng,
        )
        lens._name, lens._sources = name, sources
        return lens

    def with_pipeline(self, pipeline: str) -> "EthicalLens":
        """This lens with another pipeline of the same models: draws, aligners and scrutiny are
        shared, so attributes stay balanced over both.

        Raises as `load` does, and `SourcesError` where this lens was not loaded from models.
        """
        self._policy.check_model(pipeline)
        if self._sources is None:
            raise SourcesError("this lens was made from its parts: load it to choose by name")
        other = copy.copy(self)
        other._painter = load_painter(self._sources, pipeline)
        other._name, other._defaults = pipeline, self._sources.pipelines[pipeline]
        if isinstance(self._editor, DiffusionEditor):
            other._editor = DiffusionEditor(other._painter)
        return other

    @property
    def aligners(self) -> tuple[PromptAligner, ...]:
        """Who scrutinises prompts, in the order of asking."""
        return self._aligners

    @property
    def painting(self) -> dict[str, str]:
        """What paints: the pipeline's name where one is known, device and dtype."""
        return {
            "pipeline": self._name,
            "device": self._painter.device,
            "dtype": self._painter.dtype,
        }

    def digests(self) -> dict[str, str]:
        """Digest by model, `pipeline` and those of scrutiny (`ModelSources.scrutiny_digests`).

        Reads the pipeline's files whole.
        """
        return {"pipeline": digest_of(self._defaults.source), **self._scrutineer.digests}

    def generate(
        self,
        prompt: str,
        n: int = 1,
        *,
        negative_prompt: str = "",
        seed: int = 0,
        lora: str = "",
        on_step: OnStep | None = None,
    ) -> Generation:
        """`n` pictures of `prompt`, with seeds from `seed` on; `lora` and `on_step` as in
        `complete`.

        Raises `NotAllowed` for LoRA weights that the policy does not name, `AlignmentError` where
        the prompt gets no verdict, `GenerationError` and `ScrutinyError` where painting or scrutiny
        fail: then there is no picture.
        """
        self._policy.check_lora(lora)
        alignment = self.align(prompt, n, negative_prompt=negative_prompt)
        (generation,) = self.complete([alignment], [seed], on_step, lora=lora)
        return generation

    def align(self, prompt: str, n: int = 1, *, negative_prompt: str = "") -> Alignment:
        """The verdict on `prompt`, and what `n` pictures of it are painted from; nothing is
        painted. Draws go on from those made before.

        Raises `AlignmentError` where the prompt gets no verdict, or the policy wants a person to
        look at it.
        """
        policy = self._policy
        verdict, judge = scrutinise_with(self._aligners, prompt, negative_prompt, policy)
        decision = decide_text(verdict, policy)
        if decision.action is TextAction.REVIEW:
            raise AlignmentError(f"a person must look: {decision.explanation}")

        def draw(verdict: TextVerdict) -> tuple[tuple[AttributeDraw, ...], ...]:
            draws, left = draw_pictures(self._decks, verdict, policy, n, self._rng)
            self._decks.update(left)  # not replaced: `with_pipeline` shares them
            return draws

        return act_on(verdict, prompt, negative_prompt, policy, judge, draw)

    def complete(
        self,
        alignments: Sequence[Alignment],
        seeds: Sequence[int],
        on_step: OnStep | None = None,
        *,
        lora: str = "",
    ) -> list[Generation]:
        """Paint and scrutinise the pictures of `alignments` as one batch, what is repainted as
        another; the pictures of `alignments[i]` have seeds from `seeds[i]` on.

        `on_step(round, step, total)` is called after each denoising step of all pictures at once;
        what it raises ends the run and reaches the caller. All pictures have the LoRA weights
        `lora`, or none.

        Raises `NotAllowed` where the policy does not name `lora`, `GenerationError` and
        `ScrutinyError`; then there is no picture at all.
        """
        self._policy.check_lora(lora)
        items = [
            _Item(alignment.verdict, picture, seed + i, lora)
            for alignment, seed in zip(alignments, seeds, strict=True)
            for i, picture in enumerate(alignment.pictures)
        ]
        pictures = self._judged(items, 1, on_step)
        unfit = {
            i: Unfit(picture.prompt, picture.outcome.final.concepts)
            for i, picture in enumerate(pictures)
            if picture.outcome.final.action is PictureAction.REPAINT
        }
        # Without a new wording there is no second round.
        revised = revise_with(self._aligners, list(unfit.values()), self._policy)
        again = [
            (i, items[i]._replace(picture=PicturePrompt(prompt=text, draws=pictures[i].draws)))
            for i, text in zip(unfit, revised, strict=True)
            if text is not None
        ]
        repainted = self._judged([item for _, item in again], 2, on_step)
        for (i, _), picture in zip(again, repainted, strict=True):
            pictures[i] = replace(picture, before=pictures[i])
        in_order = iter(pictures)
        return [
            Generation(one.verdict, tuple(islice(in_order, len(one.pictures))))
            for one in alignments
        ]

    def paint(self, prompts: Sequence[str], seeds: Sequence[int]) -> list[Image.Image]:
        """Paint as the model alone does, neither aligned nor scrutinised: for comparison only, and
        never to be shown.

        Raises `ValueError` for what `may_paint` refuses, `AlignmentError` for a prompt without a
        verdict.
        """
        if not all(self.may_paint(prompt) for prompt in dict.fromkeys(prompts)):
            raise ValueError("a blocked prompt is painted for no purpose")
        return self._painter.paint(
            [self._request(prompt, "", seed) for prompt, seed in zip(prompts, seeds, strict=True)]
        )

    def may_paint(self, prompt: str) -> bool:
        """Whether `paint` paints it: no K3 of any policy, and nothing that this one blocks.

        Raises `AlignmentError` for a prompt without a verdict.
        """
        if self._judges is None:
            self._judges = load_aligners(self._policy)
        verdict, _ = scrutinise_with(self._judges, prompt, "", self._policy)
        return not verdict.blocked and (
            decide_text(verdict, self._policy).action is not TextAction.BLOCK
        )

    def _judged(
        self, items: Sequence[_Item], round: int, on_step: OnStep | None
    ) -> list[LensPicture]:
        if not items:
            return []
        painted = [
            self._request(item.picture.prompt, item.verdict.negative_prompt, item.seed, item.lora)
            for item in items
        ]
        images = self._painter.paint(painted, on_step and partial(on_step, round))
        requests = [
            ScrutinyRequest(
                image=image,
                round=round,
                under_twenty=item.verdict.somebody_under_twenty(item.picture.draws),
                figures=item.verdict.figures,
                policy=self._policy,
                draws=item.picture.draws,
            )
            for image, item in zip(images, items, strict=True)
        ]
        outcomes = scrutinise(requests, self._scrutineer, self._regions, self._reader)
        if self._editor is not None:
            candidates = [
                Candidate(request, outcome, item.verdict, made)
                for request, outcome, item, made in zip(
                    requests, outcomes, items, painted, strict=True
                )
            ]
            outcomes = edit_faces(candidates, self._scrutineer, self._reader, self._editor)
        return [
            LensPicture(
                item.seed,
                item.picture.prompt,
                item.picture.draws,
                round,
                outcome,
                _shown(image, outcome),
            )
            for image, item, outcome in zip(images, items, outcomes, strict=True)
        ]

    def _request(
        self, prompt: str, negative_prompt: str, seed: int, lora: str = ""
    ) -> PaintRequest:
        defaults = self._defaults
        return PaintRequest(
            prompt=prompt,
            negative_prompt=negative_prompt,
            seed=seed,
            width=defaults.width,
            height=defaults.height,
            steps=defaults.steps,
            guidance_scale=defaults.guidance_scale,
            lora=lora,
        )


def _shown(image: Image.Image, outcome: ScrutinyOutcome) -> Image.Image | None:
    if outcome.final.action is not PictureAction.RELEASE:
        return None
    return outcome.changed or image
