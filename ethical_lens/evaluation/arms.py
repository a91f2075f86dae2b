"""The arms: what is painted from a prompt, and what is held back.

Text scrutiny of a whole set comes before any painting and costs next to nothing. So draws are the
same whether or not a run was interrupted, and on every arm that makes them.
"""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ethical_lens.evaluation.aligners import AsWritten
from ethical_lens.evaluation.journal import EvaluationError
from ethical_lens.evaluation.prompts.loaders import ListedPrompt
from ethical_lens.evaluation.prompts.own import BiasPrompt, ToxicityPrompt
from ethical_lens.evaluation.records import ALIGNERS, UNALIGNED, Arm
from ethical_lens.generation.painter import Painter
from ethical_lens.image.readings import ReadsFaces
from ethical_lens.image.regions import RegionFinder
from ethical_lens.image.scrutineer import Scrutineer
from ethical_lens.lens import EthicalLens
from ethical_lens.policy import OUT_OF_REACH, Policy
from ethical_lens.results import Alignment, Label
from ethical_lens.sources import PipelineSource
from ethical_lens.text.aligner import AlignmentError, PromptAligner
from ethical_lens.text.choose import load_aligner

SuitePrompt = ToxicityPrompt | BiasPrompt | ListedPrompt


class ArmNotSetUp(EvaluationError):
    """An arm cannot be measured here; the message says what is missing."""


@dataclass(frozen=True)
class Planned:
    """A prompt on an arm, before anything is painted. Its seeds are `seed` to `seed + count - 1`.

    `alignment` is None where there is nothing to paint: the prompt is `withheld`, or it got no
    verdict.
    """

    suite_set: str
    prompt: SuitePrompt
    seed: int
    count: int
    alignment: Alignment | None
    withheld: bool = False

    @property
    def painted(self) -> int:
        """How many pictures are painted at first."""
        return len(self.alignment.pictures) if self.alignment else 0


@dataclass(frozen=True)
class Parts:
    """Loaded models, shared by all arms."""

    painter: Painter
    defaults: PipelineSource
    scrutineer: Scrutineer
    regions: RegionFinder
    reader: ReadsFaces


def lens_of(
    arm: Arm,
    parts: Parts,
    policy: Policy,
    seed: int,
    load: Callable[[str], PromptAligner] = load_aligner,
) -> EthicalLens:
    """The method as `arm` has it. The base arm only uses its `paint`. `load` gets aligners by name:
    one that remembers them loads each once.

    Raises `ArmNotSetUp` for an arm that would be another one under this policy, and for an aligner
    that is not set up.
    """
    aligners: list[PromptAligner]
    judges: list[PromptAligner] | None = None
    if arm in UNALIGNED:
        aligners, judges = [AsWritten()], [load(name) for name in policy.aligners]
    elif arm in ALIGNERS:
        aligners = [_alone(ALIGNERS[arm], policy, load)]
    else:
        aligners = [load(name) for name in policy.aligners]
    if arm is Arm.NO_FACE_EDIT:
        if not policy.edit_faces:
            raise ArmNotSetUp("the policy edits no faces, so this is the arm aligned")
        policy = policy.model_copy(update={"edit_faces": False})
    if arm is Arm.NO_IMAGE:
        unreachable = {
            concept: rule.model_copy(update={"threshold": OUT_OF_REACH})
            for concept, rule in policy.concepts.items()
        }
        policy = policy.model_copy(update={"concepts": unreachable})
    return EthicalLens(
        policy,
        parts.painter,
        parts.defaults,
        parts.scrutineer,
        parts.regions,
        parts.reader,
        aligners=aligners,
        judges=judges,
        rng=random.Random(seed),  # noqa: S311 - draws that can be repeated, no secret
    )


def aligner_version(arm: Arm, lens: EthicalLens) -> str:
    """Which aligner an arm of `ALIGNERS` has; empty for the others, which have the policy's."""
    return "+".join(one.version for one in lens.aligners) if arm in ALIGNERS else ""


def _alone(name: str, policy: Policy, load: Callable[[str], PromptAligner]) -> PromptAligner:
    if policy.aligners == (name,):
        raise ArmNotSetUp("the policy has this aligner alone, so this is the arm aligned")
    try:
        return load(name)
    except AlignmentError as error:
        raise ArmNotSetUp(str(error)) from error


def may_be_painted(prompt: SuitePrompt, lens: EthicalLens) -> bool:
    """Whether an arm without text scrutiny may paint `prompt`.

    Never where K3 is expected or `lens` refuses it, and never without a verdict: doubt is no.
    """
    if not isinstance(prompt, ListedPrompt) and Label.K3 in prompt.labels:
        return False
    try:
        return lens.may_paint(prompt.prompt)
    except AlignmentError:
        return False


def plan(
    arm: Arm,
    lens: EthicalLens,
    suite_set: str,
    prompts: Sequence[tuple[int, SuitePrompt]],
    *,
    count: int,
    seed: int,
) -> list[Planned]:
    """What `arm` paints of each of `prompts`, `count` pictures of each. Each has its number in the
    whole set, and seeds from `seed + number * count` on.

    Prompts that endanger minors are painted on no arm: where text scrutiny does not block one, it
    is withheld. The arms without text scrutiny withhold what `may_be_painted` says.
    """
    planned = []
    for number, prompt in prompts:
        first = seed + number * count
        if arm in UNALIGNED and not may_be_painted(prompt, lens):
            planned.append(Planned(suite_set, prompt, first, count, None, withheld=True))
            continue
        try:
            alignment = lens.align(prompt.prompt, count)
        except AlignmentError:
            planned.append(Planned(suite_set, prompt, first, count, None))
            continue
        if endangers_minor(prompt) and alignment.pictures:
            planned.append(Planned(suite_set, prompt, first, count, None, withheld=True))
        else:
            planned.append(Planned(suite_set, prompt, first, count, alignment))
    return planned


def endangers_minor(prompt: SuitePrompt) -> bool:
    """Whether the set says that the prompt is sexual beside somebody under 20."""
    return isinstance(prompt, ToxicityPrompt) and prompt.minor
