"""The options of `python -m ethical_lens.evaluation`, and what they ask for."""

import argparse
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import ValidationError

from ethical_lens.evaluation.journal import EvaluationError
from ethical_lens.evaluation.records import Arm
from ethical_lens.sources import PRESETS

if TYPE_CHECKING:
    from ethical_lens.evaluation.paper import PaperRun
    from ethical_lens.evaluation.recipe import Recipe

SUITES = ("mini", "paper")
_PAPER_ARMS = (Arm.BASE, Arm.ALIGNED)
_TRIAL = "a house in the mountains"


def parser() -> argparse.ArgumentParser:
    """All commands with their options."""
    whole = argparse.ArgumentParser(prog="python -m ethical_lens.evaluation")
    commands = whole.add_subparsers(dest="command", required=True)
    run = commands.add_parser("run", help="paint and judge, or go on, then write the report")
    run.add_argument("--suite", choices=SUITES, default="mini", help="default: mini")
    run.add_argument("--out", type=Path, required=True, metavar="DIR")
    run.add_argument("--models", default="mini", help="preset or file of models; default: mini")
    run.add_argument(
        "--policy", type=Path, metavar="FILE.json",
        help="what is evaluated; the published policy with face editing unless named",
    )  # fmt: skip
    run.add_argument("--pipeline", help="the first of the models unless named")
    run.add_argument(
        "--arm", action="append", type=Arm, choices=list(Arm),
        help="mini: all but api unless named; paper: base and aligned",
    )  # fmt: skip
    run.add_argument("--share", type=float, default=1.0, help="of the prompts; default: 1")
    run.add_argument(
        "--ablation-share", type=float, default=0.25,
        help="of those, what the arms without a part run on; default: 0.25",
    )  # fmt: skip
    run.add_argument("--seed", type=int, default=909_401)
    run.add_argument("--batch", type=int, help="pictures in one pass; default: 16, paper: 4")
    _add_paper(run.add_argument_group("suite paper"))
    report = commands.add_parser("report", help="write the report of a run again")
    report.add_argument("out", type=Path, metavar="DIR")
    compare = commands.add_parser("compare", help="two runs; exit code 1 on a significant loss")
    compare.add_argument("first", type=Path, metavar="A")
    compare.add_argument("second", type=Path, metavar="B")
    compare.add_argument("--arm", type=Arm, choices=list(Arm), default=Arm.ALIGNED)
    compare.add_argument("--alpha", type=float, default=0.05, help="default: 0.05")
    return whole


def _add_paper(group: argparse._ArgumentGroup) -> None:
    for name, meaning in (
        ("toxicity", "prompts that may do harm"),
        ("bias", "prompts of people"),
        ("quality", "prompts that mean no harm"),
    ):
        group.add_argument(
            f"--{name}", metavar="KIND:FILE", help=f"{meaning}; KIND is i2p, coco, parti or list"
        )
    group.add_argument("--models-folder", type=Path, default=Path("models"), metavar="DIR")
    group.add_argument(
        "--pictures", type=int, default=4, help="of each prompt of the bias set; default: 4"
    )
    group.add_argument("--shard", type=int, default=16, help="prompts in a piece; default: 16")
    group.add_argument("--judge", action="store_true", help="a vision model judges (JUDGE_…)")
    group.add_argument("--aesthetic", type=Path, metavar="FILE", help="LAION's linear predictor")
    group.add_argument("--clip-nsfw", type=Path, metavar="FILE", help="LAION's NSFW network")
    group.add_argument("--nudenet", action="store_true", help="NudeNet looks for nudity")
    group.add_argument("--estimate", action="store_true", help="say what it takes, and end")
    group.add_argument("--prepare", action="store_true", help="prepare it for workers, and end")
    group.add_argument("--yes", action="store_true", help="begin without asking")
    group.add_argument("--trial", action="store_true", help="paint one picture to time it")
    for name in ("seconds-per-picture", "price-per-picture", "price-per-judgement"):
        group.add_argument(f"--{name}", type=float)
    group.add_argument("--price-per-text", type=float, help="of a request to a language model")


def run_mini(options: argparse.Namespace) -> None:
    """Run the miniature suite. Raises `EvaluationError` for whatever is wrong."""
    from ethical_lens.console.inputs import InputError, read_policy
    from ethical_lens.evaluation.run import ARMS, BATCH, Evaluation

    try:
        evaluation = Evaluation.load(
            options.models,
            pipeline=options.pipeline,
            share=options.share,
            ablation_share=options.ablation_share,
            policy=read_policy(options.policy) if options.policy else None,
            seed=options.seed,
            batch=options.batch or BATCH,
        )
        if Arm.API in (options.arm or ()):
            raise EvaluationError("the arm api belongs to the suite paper")
        evaluation.run(options.out, options.arm or ARMS)
    except InputError as error:
        raise EvaluationError(str(error)) from error


def run_paper(options: argparse.Namespace) -> bool:
    """Prepare and run the suite `paper`; whether it is to be done and is not yet.

    Raises `EvaluationError` for what is wrong, and where nobody agreed to the estimate.
    """
    from ethical_lens.evaluation.estimate import Prices, estimate
    from ethical_lens.evaluation.paper import PaperRun
    from ethical_lens.evaluation.recipe import prepare
    from ethical_lens.evaluation.shards import is_done, shards_of

    recipe = _recipe(options)
    prompts = prepare(recipe, options.out)
    left = [one for one in shards_of(recipe, prompts) if not is_done(options.out, one)]
    run = PaperRun.load(options.out) if options.trial else None
    prices = Prices(
        _timed(run) if run else options.seconds_per_picture,
        options.price_per_picture,
        options.price_per_judgement,
        options.price_per_text,
    )
    print(estimate(recipe, left).table(prices).markdown())
    if options.estimate or options.prepare:
        return False
    _agreed(yes=options.yes)
    done = (run or PaperRun.load(options.out)).run()
    if done and (file := options.out / "report" / "report.md").exists():
        print(file)
    return not done


def _recipe(options: argparse.Namespace) -> "Recipe":
    from ethical_lens.console.inputs import InputError, read_policy
    from ethical_lens.evaluation.recipe import Recipe
    from ethical_lens.policy import Policy

    sets = {}
    for name in ("toxicity", "bias", "quality"):
        if given := getattr(options, name):
            kind, _, path = given.partition(":")
            if not path:
                raise EvaluationError(f"--{name}: write KIND:FILE, such as list:prompts.txt")
            pictures = options.pictures if name == "bias" else 1
            sets[name] = {"kind": kind, "path": str(Path(path).resolve()), "pictures": pictures}
    if not sets:
        raise EvaluationError("name prompts: --toxicity, --bias or --quality KIND:FILE")
    models = options.models
    try:
        return Recipe.model_validate(
            {
                "models": models if models in PRESETS else str(Path(models).resolve()),
                "models_folder": str(options.models_folder.resolve()),
                "pipeline": options.pipeline or "",
                "policy": read_policy(options.policy)
                if options.policy
                else Policy(edit_faces=True),
                "arms": tuple(dict.fromkeys(options.arm or _PAPER_ARMS)),
                "sets": sets,
                "share": options.share,
                "ablation_share": options.ablation_share,
                "seed": options.seed,
                "batch": options.batch or 4,
                "shard": options.shard,
                "judge": options.judge,
                "nudenet": options.nudenet,
                "aesthetic": str(options.aesthetic.resolve()) if options.aesthetic else "",
                "clip_nsfw": str(options.clip_nsfw.resolve()) if options.clip_nsfw else "",
            }
        )
    except InputError as error:
        raise EvaluationError(str(error)) from error
    except ValidationError as error:
        wrong = "; ".join(
            f"{'.'.join(map(str, one['loc'])) or 'options'}: {one['msg']}"
            for one in error.errors(include_url=False)
        )
        raise EvaluationError(wrong) from error


def _timed(run: "PaperRun") -> float:
    """Seconds of one picture of a harmless prompt, the second one: the first warms up."""
    run.trial(_TRIAL)
    began = time.monotonic()
    run.trial(_TRIAL)
    return time.monotonic() - began


def _agreed(*, yes: bool) -> None:
    if yes:
        return
    if not sys.stdin.isatty():
        raise EvaluationError("say --yes to begin, or --estimate to end here")
    if input("Begin? [y/N] ").strip().lower() not in {"y", "yes"}:
        raise EvaluationError("nothing was begun")
