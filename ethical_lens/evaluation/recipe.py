"""What a run of the suite `paper` is to do: written once, read by every process that shares it."""

import hashlib
import json
from pathlib import Path
from typing import Final, Literal

from pydantic import Field, ValidationError, model_validator

from ethical_lens.evaluation.journal import EvaluationError, NoRun, SettingsDiffer
from ethical_lens.evaluation.prompts.loaders import LOADERS, ListedPrompt, PromptFileError
from ethical_lens.evaluation.prompts.own import BIAS, QUALITY, TOXICITY, BiasPrompt
from ethical_lens.evaluation.records import Arm
from ethical_lens.evaluation.sharing import alone, write_whole
from ethical_lens.policy import Policy
from ethical_lens.results import Attribute, LifeStage, Value
from ethical_lens.text.aligner import AlignmentError
from ethical_lens.text.rules import RuleAligner

SUITE: Final = "paper"
SETS: Final = (TOXICITY, BIAS, QUALITY)
"""In the bias set faces are counted; the quality set means no harm: what does alignment cost?"""
RECIPE: Final = "recipe.json"
PROMPTS: Final = "prompts.json"
SHARDS: Final = "shards"

Kind = Literal["i2p", "coco", "parti", "list"]


class SetSource(Value):
    """A file of prompts, and how many pictures are painted of each."""

    kind: Kind
    path: str = Field(min_length=1)
    pictures: int = Field(default=1, ge=1, le=100)


class Recipe(Value):
    """All that is asked of a run. Paths are absolute, so that every worker finds them.

    `share`: how much of each set (0 to 1]. `shard`: prompts that are done as one piece. `judge`:
    whether the vision model that the environment names looks at the pictures.
    """

    models: str = Field(min_length=1)
    models_folder: str = "models"
    pipeline: str = ""
    policy: Policy
    arms: tuple[Arm, ...] = Field(min_length=1)
    sets: dict[str, SetSource] = Field(min_length=1)
    share: float = Field(default=1.0, gt=0, le=1)
    ablation_share: float = Field(default=0.25, gt=0, le=1)
    seed: int = Field(default=909_401, ge=0)
    batch: int = Field(default=4, ge=1)
    shard: int = Field(default=16, ge=1)
    judge: bool = False
    nudenet: bool = False
    aesthetic: str = ""
    clip_nsfw: str = ""

    @model_validator(mode="after")
    def _known_sets(self) -> "Recipe":
        unknown = sorted(set(self.sets) - set(SETS))
        if unknown:
            raise ValueError(f"sets: there is {', '.join(SETS)}, not {', '.join(unknown)}")
        return self


class Prompts(Value):
    """The prompts of a run by set, as they were when it was prepared."""

    sets: dict[str, tuple[ListedPrompt, ...]]

    def digest(self) -> str:
        """`sha256:…` over all of them."""
        return f"sha256:{hashlib.sha256(self.model_dump_json().encode()).hexdigest()}"


def prepare(recipe: Recipe, folder: Path) -> Prompts:
    """Write recipe and prompts into `folder`, or see that those there are the same.

    Raises `EvaluationError` for a file that cannot be read, `SettingsDiffer` for another recipe.
    """
    prompts = Prompts(sets={name: _read(one) for name, one in recipe.sets.items()})
    folder.mkdir(parents=True, exist_ok=True)
    with alone(folder / "prepare.lock"):
        if not (folder / RECIPE).exists():
            write_whole(folder / PROMPTS, prompts.model_dump_json(indent=1) + "\n")
            write_whole(folder / RECIPE, json.dumps(_plain(recipe), indent=2) + "\n")
        there, kept = read_recipe(folder)
    if _plain(there) != _plain(recipe) or kept != prompts:
        mine, theirs = _plain(recipe), _plain(there)
        other = [name for name in mine if mine[name] != theirs[name]] or ["the prompts"]
        raise SettingsDiffer(
            f"{folder} was prepared otherwise: {', '.join(other)}. Name another folder."
        )
    return prompts


def read_recipe(folder: Path) -> tuple[Recipe, Prompts]:
    """What was prepared in `folder`. Raises `NoRun`."""
    try:
        return (
            Recipe.model_validate_json((folder / RECIPE).read_bytes()),
            Prompts.model_validate_json((folder / PROMPTS).read_bytes()),
        )
    except (OSError, ValidationError) as error:
        raise NoRun(f"{folder} holds no prepared run that can be read: {error}") from error


def bias_prompts_of(prompts: Prompts) -> dict[str, BiasPrompt]:
    """The bias set as metrics want it: what each prompt leaves open about the people it names.

    Where the offline rules see nobody, everything is taken for open; any life stage may be shown.
    """
    rules, policy = RuleAligner(), Policy()
    return {
        one.id: BiasPrompt(
            id=one.id,
            prompt=one.prompt,
            group="",
            kind="",
            labels=frozenset(),
            open=_open(rules, policy, one.prompt),
            stages=tuple(LifeStage),
        )
        for one in prompts.sets.get(BIAS, ())
    }


def _open(rules: RuleAligner, policy: Policy, prompt: str) -> frozenset[Attribute]:
    try:
        clusters = rules.scrutinise(prompt, "", policy).clusters
    except AlignmentError:
        clusters = ()
    found = frozenset[Attribute]().union(*(one.open_attributes for one in clusters))
    return found if clusters else frozenset(Attribute)


def _read(source: SetSource) -> tuple[ListedPrompt, ...]:
    try:
        found = LOADERS[source.kind](Path(source.path))
    except PromptFileError as error:
        raise EvaluationError(str(error)) from error
    if not found:
        raise EvaluationError(f"{source.path}: holds no prompt")
    return found


def _plain(recipe: Recipe) -> dict[str, object]:
    """As JSON values, equal for equal recipes: sets have no order of their own."""
    data = recipe.model_dump(mode="json")
    data["policy"]["diversify"] = sorted(data["policy"]["diversify"])
    return data
