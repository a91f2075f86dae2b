"""Options that several commands share, and files that they read."""

import argparse
from collections.abc import Callable
from pathlib import Path

from pydantic import ValidationError

from ethical_lens.policy import Policy
from ethical_lens.sources import MINI, PRESETS


class InputError(Exception):
    """What the user gave cannot be used; the message says what to give instead."""


def add_models(parser: argparse.ArgumentParser) -> None:
    """The option `--models`."""
    parser.add_argument(
        "--models",
        default=MINI,
        metavar="PRESET|FILE",
        help=f"{', '.join(PRESETS)}, or a JSON file of your own (default: {MINI})",
    )


def add_policy(parser: argparse.ArgumentParser) -> None:
    """The option `--policy`."""
    parser.add_argument(
        "--policy",
        type=Path,
        metavar="FILE.json",
        help="thresholds, pools and limits (default: the published ones)",
    )


def read_policy(file: Path | None) -> Policy:
    """The policy in a JSON file, the default one without a file.

    Raises `InputError` that names every field that is wrong.
    """
    if file is None:
        return Policy()
    try:
        return Policy.model_validate_json(file.read_bytes())
    except OSError as error:
        raise InputError(f"--policy {file}: {error.strerror}") from error
    except ValidationError as error:
        wrong = "; ".join(
            f"{'.'.join(map(str, problem['loc'])) or 'file'}: {problem['msg']}"
            for problem in error.errors()
        )
        raise InputError(f"--policy {file}: {wrong}") from error


def whole_number(least: int, most: int) -> Callable[[str], int]:
    """An argparse type: a whole number from `least` to `most`."""

    def number(text: str) -> int:
        if not (text.isdecimal() and least <= int(text) <= most):
            raise argparse.ArgumentTypeError(f"{text!r} is no whole number from {least} to {most}")
        return int(text)

    return number
