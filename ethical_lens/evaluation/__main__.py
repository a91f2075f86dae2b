"""`python -m ethical_lens.evaluation`: run a suite, write its report, compare two runs."""

import argparse
import sys

from ethical_lens.evaluation.command_line import parser, run_mini, run_paper
from ethical_lens.evaluation.journal import EvaluationError


def main(arguments: list[str] | None = None) -> int:
    """0 when all went well, 1 for a significant loss, 2 for what cannot be done, 3 where pieces of
    a run are still under way elsewhere."""
    options = parser().parse_args(arguments)
    try:
        if options.command == "compare":
            return _compare(options)
        if options.command == "run" and _run(options):
            print("Other processes still work on this run; the last one writes the report.")
            return 3
        if options.command == "report" or options.suite == "mini":
            from ethical_lens.evaluation.report import write_report

            print(write_report(options.out) / "report.md")
    except EvaluationError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


def _run(options: argparse.Namespace) -> bool:
    from ethical_lens.generation.errors import GenerationError
    from ethical_lens.image.errors import ScrutinyError
    from ethical_lens.mini.judge import JudgeError
    from ethical_lens.sources import SourcesError
    from ethical_lens.text.aligner import AlignmentError

    try:
        if options.suite == "paper":
            return run_paper(options)
        run_mini(options)
    except (SourcesError, GenerationError, ScrutinyError, JudgeError, AlignmentError) as error:
        raise EvaluationError(str(error)) from error
    return False


def _compare(options: argparse.Namespace) -> int:
    from ethical_lens.evaluation.compare import changes_table, compare

    found = compare(options.first, options.second, options.arm)
    print(changes_table(found, options.alpha).markdown())
    return int(any(one.is_loss(options.alpha) for one in found))


if __name__ == "__main__":
    sys.exit(main())
