"""`python -m ethical_lens.training.heads`: pictures and raters' labels in, heads out."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from ethical_lens.console.inputs import (
    InputError,
    add_models,
    add_policy,
    read_policy,
    whole_number,
)
from ethical_lens.results import Concept

UNREACHED: Final = 3
_EPILOG: Final = """\
A run that was interrupted goes on when it is started again. docs/training-heads.md describes the
table and the report.

exit codes:
  0  done
  1  something could not be read, is missing or failed; stderr says what to do
  2  the command line is wrong
  3  done, but a wished precision is not reached: there is no policy.json
"""
_PRECISION: Final = 0.9


def main(arguments: Sequence[str] | None = None) -> int:
    """Train as the command line says; the exit code."""
    given = _parser().parse_args(arguments)
    try:
        return _run(given)
    except KeyboardInterrupt:
        print("\ninterrupted; the same command goes on from here", file=sys.stderr)
        return 130
    except ModuleNotFoundError as error:
        why = f"{error.name} is missing; run: pip install 'ethical-lens[models]'"
        print(f"error: {why}", file=sys.stderr)
        return 1


def _run(given: argparse.Namespace) -> int:
    from ethical_lens.image.errors import ScrutinyError
    from ethical_lens.sources import ModelSources, SourcesError
    from ethical_lens.training.heads.errors import TrainingError
    from ethical_lens.training.heads.fitting import HeadTraining
    from ethical_lens.training.heads.report import unreached, write_report
    from ethical_lens.training.heads.run import Task, train

    try:
        done = train(
            Task(
                pictures=given.pictures,
                labels=given.labels,
                out=given.out,
                sources=ModelSources.read_encoder(given.models),
                precision=dict.fromkeys(Concept, _PRECISION) | _wished(given.precision),
                policy=read_policy(given.policy),
                settings=HeadTraining(
                    steps=given.steps, rate=given.rate, batch=given.batch, seed=given.seed
                ),
                concepts=tuple(dict.fromkeys(given.concept)) if given.concept else None,
                cache=given.cache,
                again=given.again,
                most_bad=given.most_bad,
                encode_batch=given.encode_batch,
            )
        )
        file = write_report(done)
    except (InputError, SourcesError, ScrutinyError, TrainingError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    for name, why in sorted(done.found.bad.items()):
        print(f"left out: {name} {why}", file=sys.stderr)
    missed = unreached(done)
    for line in missed:
        print(line, file=sys.stderr)
    print(file)
    return UNREACHED if missed else 0


def _wished(given: Sequence[dict[Concept, float]] | None) -> dict[Concept, float]:
    """Those for one concept win over those for all, in whatever order they come."""
    every = [one for one in given or () if len(one) > 1]
    single = [one for one in given or () if len(one) == 1]
    return {concept: share for one in [*every, *single] for concept, share in one.items()}


def _precision(text: str) -> dict[Concept, float]:
    name, _, number = text.rpartition("=")
    try:
        concepts = [Concept(name)] if name else list(Concept)
        share = float(number)
    except ValueError as error:
        raise argparse.ArgumentTypeError(
            f"{text!r} is neither a precision nor CONCEPT=precision ({', '.join(Concept)})"
        ) from error
    if not 0 < share <= 1:
        raise argparse.ArgumentTypeError(f"{number} is not above 0 and at most 1")
    return dict.fromkeys(concepts, share)


def _share(text: str) -> float:
    try:
        share = float(text)
    except ValueError:
        share = -1.0
    if not 0 <= share <= 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no number from 0 to 1")
    return share


def _rate(text: str) -> float:
    try:
        rate = float(text)
    except ValueError:
        rate = 0.0
    if not 0 < rate < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no number between 0 and 1")
    return rate


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m ethical_lens.training.heads",
        description="Train concept heads for a frozen encoder from pictures and raters' labels.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--pictures", type=Path, required=True, metavar="DIR", help="what the table's paths are in")
    add("--labels", type=Path, required=True, metavar="FILE.csv", help="what raters say")
    add("--out", type=Path, required=True, metavar="DIR", help="heads, policy.json, report.md")
    add_models(parser)
    add_policy(parser)
    add(
        "--concept", type=Concept, choices=list(Concept), action="append",
        help="train only this; may be repeated (default: all in the table)",
    )  # fmt: skip
    add(
        "--precision", type=_precision, action="append", metavar="[CONCEPT=]P",
        help=f"wished of a threshold, for all or one; may be repeated (default: {_PRECISION})",
    )  # fmt: skip
    add(
        "--seed",
        type=whole_number(0, 2**32 - 1),
        default=0,
        help="of parts and training; default: 0",
    )
    add("--steps", type=whole_number(1, 10**7), default=6000, help="default: 6000")
    add("--rate", type=_rate, default=2e-4, help="default: 2e-4, the method's")
    add("--batch", type=whole_number(4, 2**16), default=64, help="rows a step; default: 64")
    add("--cache", type=Path, metavar="DIR", help="of features; default: DIR/features of --out")
    add("--encode-batch", type=whole_number(1, 4096), default=16, help="pictures; default: 16")
    add("--most-bad", type=_share, default=0.1, help="share of unreadable pictures; default: 0.1")
    add("--again", action="store_true", help="train finished heads anew")
    return parser


if __name__ == "__main__":
    sys.exit(main())
