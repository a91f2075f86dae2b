"""`ethical-lens COMMAND`: the parser, and errors turned into one line and an exit code."""

import argparse
import os
import sys
from collections.abc import Sequence
from typing import Final

from ethical_lens.console import generate, images, prompts
from ethical_lens.console.inputs import InputError
from ethical_lens.generation.errors import GenerationError
from ethical_lens.image.errors import ScrutinyError
from ethical_lens.policy import NotAllowed
from ethical_lens.sources import SourcesError
from ethical_lens.text.aligner import AlignmentError

_EXIT_CODES: Final = """\
exit codes:
  0  done, whatever the verdicts are
  1  something could not be read, is missing or failed; the line on stderr says what to do
  2  the command line is wrong
  3  images --fail-on-finding: a picture may not be shown as it is
"""
_EXPECTED: Final = (
    InputError,
    NotAllowed,
    SourcesError,
    AlignmentError,
    GenerationError,
    ScrutinyError,
    OSError,
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command of `arguments` (those of the process unless given); its exit code."""
    parser = argparse.ArgumentParser(
        prog="ethical-lens",
        description="Align prompts, paint them, and scrutinise pictures (docs/library.md).",
        epilog=_EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="command", required=True)
    for command in (generate, prompts, images):
        command.add(commands)
    given = parser.parse_args(arguments)
    try:
        code: int = given.run(given)
        sys.stdout.flush()
        return code
    except BrokenPipeError:  # whoever read the output has enough of it
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except KeyboardInterrupt:
        return 130
    except ModuleNotFoundError as error:
        return _failed(f"{error.name} is missing; run: pip install 'ethical-lens[models]'")
    except _EXPECTED as error:
        return _failed(str(error))


def _failed(why: str) -> int:
    print(f"ethical-lens: {why}", file=sys.stderr)
    return 1
