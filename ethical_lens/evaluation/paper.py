"""Runs the suite `paper`: any models, any image API, prompts by path, piece by piece.

Any number of processes may work on one folder at once. Pictures are looked at and let go: none is
kept, since those of the model alone may be what nobody should see.
"""

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Final

from tqdm import tqdm

from ethical_lens.evaluation.aligners import load_for_evaluation
from ethical_lens.evaluation.arms import (
    ArmNotSetUp,
    Parts,
    aligner_version,
    lens_of,
    plan,
)
from ethical_lens.evaluation.bench import Bench, cut
from ethical_lens.evaluation.clip_score import ClipScorer
from ethical_lens.evaluation.image_api import ImageApi
from ethical_lens.evaluation.journal import ArmNote, Settings, begin, note_arm
from ethical_lens.evaluation.judging import Observer
from ethical_lens.evaluation.nudity import NudeNet
from ethical_lens.evaluation.prompts.own import BIAS, QUALITY, TOXICITY
from ethical_lens.evaluation.published_heads import Instrument, PublishedHead
from ethical_lens.evaluation.recipe import SUITE, Prompts, Recipe, read_recipe
from ethical_lens.evaluation.records import Arm
from ethical_lens.evaluation.report import write_report
from ethical_lens.evaluation.shards import Shard, claim, finish, is_done, shards_of
from ethical_lens.evaluation.sharing import alone, claimed
from ethical_lens.evaluation.vision_judge import VisionJudge
from ethical_lens.generation.painter import load_painter
from ethical_lens.image.face_readers import load_face_reader
from ethical_lens.image.regions import RegionFinder
from ethical_lens.image.scrutineer import Scrutineer
from ethical_lens.lens import EthicalLens
from ethical_lens.sources import ModelSources, digest_of
from ethical_lens.text.aligner import PromptAligner
from ethical_lens.text.llm.errors import LlmNotConfigured

_LOCK: Final = "settings.lock"


class PaperRun:
    """A prepared run with its models loaded. Load it once per process; for one thread at a time."""

    def __init__(
        self,
        folder: Path,
        recipe: Recipe,
        prompts: Prompts,
        settings: Settings,
        bench: Bench,
        load: Callable[[str], PromptAligner],
    ) -> None:
        self.folder = folder
        self.shards = shards_of(recipe, prompts)
        self._recipe = recipe
        self._bench = bench
        self._settings = settings
        self._policy = recipe.policy
        self._load = load
        self._begin()

    @classmethod
    def load(cls, folder: Path) -> "PaperRun":
        """Load the models that the recipe in `folder` names.

        Raises `NoRun` where nothing was prepared, `SettingsDiffer` where models here are others
        than those the run was begun with, and `SourcesError`, `PipelineUnavailable`,
        `ScrutinyUnavailable`, `LlmNotConfigured` or `JudgeUnavailable` with what is missing.
        """
        recipe, prompts = read_recipe(folder)
        load = functools.cache(load_for_evaluation)
        sources = ModelSources.read(recipe.models, Path(recipe.models_folder))
        name = recipe.pipeline or next(iter(sources.pipelines))
        scrutineer = Scrutineer.load(sources)
        regions = RegionFinder.load(sources.regions, sources.device)
        reader = load_face_reader(sources, scrutineer, regions)
        parts = Parts(
            load_painter(sources, name), sources.pipelines[name], scrutineer, regions, reader
        )
        judge = VisionJudge.load() if recipe.judge else None
        if judge is not None:
            judge.try_out()
        encoder = scrutineer.encoder
        instruments: list[Instrument] = []
        if recipe.aesthetic:
            instruments.append(PublishedHead.aesthetic(Path(recipe.aesthetic), encoder))
        if recipe.clip_nsfw:
            instruments.append(PublishedHead.clip_nsfw(Path(recipe.clip_nsfw), encoder))
        if recipe.nudenet:
            instruments.append(NudeNet.load())
        settings = Settings(
            suite=SUITE,
            models=recipe.models,
            pipeline=name,
            share=recipe.share,
            ablation_share=recipe.ablation_share,
            per_toxicity_prompt=_pictures(recipe, TOXICITY),
            per_bias_prompt=_pictures(recipe, BIAS),
            per_quality_prompt=_pictures(recipe, QUALITY),
            seed=recipe.seed,
            batch=recipe.batch,
            shard=recipe.shard,
            policy=recipe.policy,
            digests={
                **scrutineer.digests,
                "pipeline": digest_of(sources.pipeline(name)),
                "prompts": prompts.digest(),
                "judge": judge.version if judge else "none",
                "painting": sources.pipelines[name]
                .model_copy(update={"source": "-"})
                .model_dump_json(),
            }
            | {f"aligner {one}": load(one).version for one in recipe.policy.aligners}
            | {one: digest_of(path) for one, path in _networks(recipe).items()},
        )
        fit = ClipScorer.load(sources.clip, sources.device)
        observer = Observer(judge, fit, instruments, reader)
        return cls(folder, recipe, prompts, settings, Bench(parts, observer, _api(recipe)), load)

    def run(self) -> bool:
        """Do every piece that nobody else does or has done, then write the report if all is done.

        Returns whether it is. Raises `GenerationError`, `ScrutinyError` or `AlignerUnavailable`
        where a model fails or is not reached: what is done stays done. An arm that is not set up
        here is noted with the reason.
        """
        for shard in tqdm(self.shards, desc="pieces", unit="piece"):
            self.run_shard(shard)
        return self.report_if_done()

    def run_next(self) -> bool:
        """Do the first piece that nobody else does or has done; whether there was one. After the
        last the report is written. Raises as `run`."""
        if any(self.run_shard(shard) for shard in self.shards):
            return True
        self.report_if_done()
        return False

    def run_shard(self, shard: Shard) -> bool:
        """Do one piece unless it is done, under way elsewhere, or its arm is not set up here;
        whether it was done now. Raises as `run`."""
        with claim(self.folder, shard) as ours:
            if not ours:
                return False
            self._begin()  # again: the folder may have been emptied while this process lives
            try:
                lens = self._lens(shard)
            except ArmNotSetUp as error:
                self._note(shard.arm, ArmNote(not_measured=str(error)))
                return False
            planned = plan(
                shard.arm, lens, shard.suite_set, shard.prompts,
                count=_pictures(self._recipe, shard.suite_set), seed=self._recipe.seed,
            )  # fmt: skip
            records = [
                record
                for batch in cut(planned, self._recipe.batch)
                for record in self._bench.records(shard.arm, lens, batch, None)
            ]
            finish(self.folder, shard, records)
            return True

    def trial(self, prompt: str) -> None:
        """Paint one picture and let it go, to see how long it takes. Raises as `run`."""
        lens_of(Arm.BASE, self._bench.parts, self._policy, 0, self._load).paint([prompt], [0])

    def report_if_done(self) -> bool:
        """Write the report where every piece of every arm that is set up is done; whether it is."""
        missing = [one for one in self.shards if not is_done(self.folder, one)]
        if any(self._is_set_up(arm) for arm in {one.arm for one in missing}):
            return False
        with claimed(self.folder / "report.lock") as ours:
            if ours and len(missing) < len(self.shards):
                write_report(self.folder)
        return True

    def _begin(self) -> None:
        with alone(self.folder / _LOCK):
            begin(self.folder, self._settings)

    def _lens(self, shard: Shard) -> EthicalLens:
        api = self._bench.api
        if shard.arm is Arm.API and api is None:
            raise ArmNotSetUp(_why_no_api())
        seed = shard.draws_seed(self._recipe.seed)
        lens = lens_of(shard.arm, self._bench.parts, self._policy, seed, self._load)
        version = api.version if shard.arm is Arm.API and api else aligner_version(shard.arm, lens)
        self._note(shard.arm, ArmNote(version=version))
        return lens

    def _is_set_up(self, arm: Arm) -> bool:
        if arm is Arm.API:
            return self._bench.api is not None
        try:
            lens_of(arm, self._bench.parts, self._policy, 0, self._load)
        except ArmNotSetUp:
            return False
        return True

    def _note(self, arm: Arm, note: ArmNote) -> None:
        measured = any(one.arm is arm and is_done(self.folder, one) for one in self.shards)
        with alone(self.folder / _LOCK):
            note_arm(self.folder, arm, note, measured=measured)


def _pictures(recipe: Recipe, suite_set: str) -> int:
    return recipe.sets[suite_set].pictures if suite_set in recipe.sets else 0


def _networks(recipe: Recipe) -> dict[str, str]:
    return {
        name: path
        for name, path in (("aesthetic", recipe.aesthetic), ("clip_nsfw", recipe.clip_nsfw))
        if path
    }


def _api(recipe: Recipe) -> ImageApi | None:
    if Arm.API not in recipe.arms:
        return None
    try:
        return ImageApi.load()
    except LlmNotConfigured:
        return None


def _why_no_api() -> str:
    try:
        ImageApi.load()
    except LlmNotConfigured as error:
        return str(error)
    return "the image API was set up after this process began"
