"""Runs a suite: every arm over every prompt, a line per prompt, on from where it was interrupted.

Batches are cut from the plan before anything is painted, and one that was interrupted is painted
whole again: pixels depend on their batch to within rounding, and figures would too.
"""

import functools
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tqdm import tqdm

from ethical_lens.evaluation.aligners import load_for_evaluation
from ethical_lens.evaluation.arms import (
    ArmNotSetUp,
    Parts,
    Planned,
    SuitePrompt,
    aligner_version,
    lens_of,
    plan,
)
from ethical_lens.evaluation.bench import Bench, cut
from ethical_lens.evaluation.clip_score import ClipScorer
from ethical_lens.evaluation.journal import (
    ArmNote,
    EvaluationError,
    Journal,
    Settings,
)
from ethical_lens.evaluation.judging import MiniJudge, Observer
from ethical_lens.evaluation.prompts.own import (
    BIAS,
    TOXICITY,
    bias_prompts,
    csv_bytes,
    toxicity_prompts,
)
from ethical_lens.evaluation.prompts.sampling import subset
from ethical_lens.evaluation.records import ABLATIONS, ALIGNERS, Arm
from ethical_lens.generation.painter import load_painter
from ethical_lens.image.face_readers import load_face_reader
from ethical_lens.image.regions import RegionFinder
from ethical_lens.image.scrutineer import Scrutineer
from ethical_lens.lens import EthicalLens
from ethical_lens.mini import weights
from ethical_lens.mini.judge import Judge
from ethical_lens.policy import Policy
from ethical_lens.sources import MINI, ModelSources, digest_of
from ethical_lens.text.choose import load_aligners

SUITE: Final = "mini"
ABLATION_SHARE: Final = 0.25
SEED: Final = 909_401
BATCH: Final = 16
_JUDGE: Final = weights.FOLDER / "judge"
ARMS: Final = tuple(arm for arm in Arm if arm is not Arm.API)


@dataclass(frozen=True)
class Evaluation:
    """A suite with its models loaded, ready to run."""

    settings: Settings
    bench: Bench

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
        return cls(settings, Bench(parts, observer))

    def run(self, folder: Path, arms: Sequence[Arm] = ARMS) -> None:
        """Paint and judge what `folder` does not have yet. An arm that is not set up is noted there
        with the reason.

        Raises `SettingsDiffer`, and `GenerationError`, `ScrutinyError` or `AlignerUnavailable`
        where a model fails or is not reached: what is done stays done.
        """
        journal, settings = Journal(folder, self.settings), self.settings
        load = functools.cache(load_for_evaluation)
        for arm in arms:
            try:
                lens = lens_of(arm, self.bench.parts, settings.policy, settings.seed, load)
            except ArmNotSetUp as error:
                journal.note(arm, ArmNote(not_measured=str(error)))
                continue
            journal.note(arm, ArmNote(version=aligner_version(arm, lens)))
            batches = list(cut(self.planned(arm, lens), settings.batch))
            with tqdm(total=sum(map(len, batches)), desc=arm.value, unit="prompt") as bar:
                for batch in batches:
                    if not all(journal.has(arm, one.suite_set, one.prompt.id) for one in batch):
                        journal.append(self.bench.records(arm, lens, batch, folder))
                    bar.update(len(batch))

    def planned(self, arm: Arm, lens: EthicalLens) -> list[Planned]:
        """All that `arm` is to do, in its order."""
        settings = self.settings
        return [
            *self._planned(arm, lens, TOXICITY, toxicity_prompts(), settings.per_toxicity_prompt),
            *self._planned(arm, lens, BIAS, bias_prompts(), settings.per_bias_prompt),
        ]

    def _planned(
        self,
        arm: Arm,
        lens: EthicalLens,
        suite_set: str,
        prompts: Sequence[SuitePrompt],
        count: int,
    ) -> list[Planned]:
        settings = self.settings
        share = settings.share * (settings.ablation_share if arm in ABLATIONS else 1.0)
        numbered = list(enumerate(prompts))
        # Draws follow the whole set, so that arms share them; an aligner that may cost something
        # is asked for no more than is painted.
        if arm in ALIGNERS:
            numbered, share = subset(numbered, share), 1.0
        planned = plan(arm, lens, suite_set, numbered, count=count, seed=settings.seed)
        return subset(planned, share)
