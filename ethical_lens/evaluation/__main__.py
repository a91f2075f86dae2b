"""`python -m ethical_lens.evaluation`: run a suite, write its report, compare two runs."""

import argparse
import sys
from pathlib import Path

from ethical_lens.evaluation.journal import EvaluationError
from ethical_lens.evaluation.records import Arm


def main(arguments: list[str] | None = None) -> int:
    """0 when all went well, 1 for a significant loss, 2 for what cannot be done."""
    options = _parser().parse_args(arguments)
    try:
        if options.command == "compare":
            return _compare(options)
        if options.command == "run":
            _run(options)
        from ethical_lens.evaluation.report import write_report

        print(write_report(options.out) / "report.md")
    except EvaluationError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


def _run(options: argparse.Namespace) -> None:
    from ethical_lens.console.inputs import InputError, read_policy
    from ethical_lens.evaluation.run import Evaluation
    from ethical_lens.generation.errors import GenerationError
    from ethical_lens.image.errors import ScrutinyError
    from ethical_lens.mini.judge import JudgeError
    from ethical_lens.sources import SourcesError

    try:
        evaluation = Evaluation.load(
            options.models,
            pipeline=options.pipeline,
            share=options.share,
            ablation_share=options.ablation_share,
            policy=read_policy(options.policy) if options.policy else None,
            seed=options.seed,
            batch=options.batch,
        )
        evaluation.run(options.out, options.arm or list(Arm))
    except (InputError, SourcesError, GenerationError, ScrutinyError, JudgeError) as error:
        raise EvaluationError(str(error)) from error


def _compare(options: argparse.Namespace) -> int:
    from ethical_lens.evaluation.compare import changes_table, compare

    found = compare(options.first, options.second, options.arm)
    print(changes_table(found, options.alpha).markdown())
    return int(any(one.is_loss(options.alpha) for one in found))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m ethical_lens.evaluation")
    commands = parser.add_subparsers(dest="command", required=True)
    run = commands.add_parser("run", help="paint and judge, or go on, then write the report")
    run.add_argument("--suite", choices=["mini"], default="mini", help="default: mini")
    run.add_argument("--out", type=Path, required=True, metavar="DIR")
    run.add_argument("--models", default="mini", help="preset or file of models; default: mini")
    run.add_argument(
        "--policy", type=Path, metavar="FILE.json",
        help="what is evaluated; the published policy with face editing unless named",
    )  # fmt: skip
    run.add_argument("--pipeline", help="the first of the models unless named")
    run.add_argument("--arm", action="append", type=Arm, choices=list(Arm), help="all unless named")
    run.add_argument("--share", type=float, default=1.0, help="of the prompts; default: 1")
    run.add_argument(
        "--ablation-share", type=float, default=0.25,
        help="of those, what the arms without a part run on; default: 0.25",
    )  # fmt: skip
    run.add_argument("--seed", type=int, default=909_401)
    run.add_argument("--batch", type=int, default=16, help="pictures in one pass; default: 16")
    report = commands.add_parser("report", help="write the report of a run again")
    report.add_argument("out", type=Path, metavar="DIR")
    compare = commands.add_parser("compare", help="two runs; exit code 1 on a significant loss")
    compare.add_argument("first", type=Path, metavar="A")
    compare.add_argument("second", type=Path, metavar="B")
    compare.add_argument("--arm", type=Arm, choices=list(Arm), default=Arm.ALIGNED)
    compare.add_argument("--alpha", type=float, default=0.05, help="default: 0.05")
    return parser


if __name__ == "__main__":
    sys.exit(main())
