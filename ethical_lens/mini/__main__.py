"""`python -m ethical_lens.mini`: train, measure and install the miniature models."""

import argparse
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ethical_lens.mini.rebuild import Part

WORK = Path(".local/mini")


def main() -> int:
    """0 when all went well, 1 when no part has a name that was given, or a bar is missed."""
    parser = argparse.ArgumentParser(prog="python -m ethical_lens.mini")
    commands = parser.add_subparsers(dest="command", required=True)
    for name, text in (
        ("build", "train, check and install one part after the other"),
        ("train", "train the miniature models, or go on where that was interrupted"),
        ("check", "measure trained models against their bars"),
        ("install", "put those that reached their bars into the package, with their digests"),
    ):
        command = commands.add_parser(name, help=text)
        command.add_argument("parts", nargs="*", metavar="PART", help="all unless named")
        command.add_argument("--work", type=Path, default=WORK, help=f"default: {WORK}")
        if name in {"build", "check"}:
            command.add_argument("--count", type=int, help="drawings to measure on")
    sheets = commands.add_parser("sheets", help="draw the pictures of docs/mini-world.md")
    sheets.add_argument("folder", type=Path, metavar="DIR")
    compare = commands.add_parser("compare", help="draw the README's sheet: without and with")
    compare.add_argument("file", type=Path, metavar="PNG")
    arguments = parser.parse_args()
    if arguments.command == "sheets":
        from ethical_lens.mini.sheets import write_world_sheets

        print("\n".join(map(str, write_world_sheets(arguments.folder))))
        return 0
    if arguments.command == "compare":
        from ethical_lens.mini.comparison import comparison_sheet

        comparison_sheet().save(arguments.file, optimize=True)
        return 0
    return _models(arguments)


def _models(arguments: argparse.Namespace) -> int:
    from ethical_lens.mini import rebuild

    try:
        chosen = rebuild.chosen(arguments.parts)
    except ValueError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    command, models = arguments.command, arguments.work / "models"
    parts: Iterable[Part] = chosen
    if command in {"build", "train"}:
        parts = rebuild.rebuild(chosen, arguments.work, models)
    good: dict[str, bool] = {}  # by folder, as the last of its parts left it
    for part in parts:
        if command in {"build", "train"}:
            drawn = rebuild.write_sheet(part, models, arguments.work / "sheets")
            print(f"{part.name}: {models / part.folder}{f', shown in {drawn}' if drawn else ''}")
        if command in {"build", "check"}:
            _check(part, models, arguments.count)
        good[part.folder] = command == "train" or rebuild.passed(part, models)
        if command in {"build", "install"} and part.bars:
            done = rebuild.install(part, models)
            print(f"{part.name}: {'installed' if done else 'not installed: bars not reached'}")
    return 0 if all(good.values()) else 1


def _check(part: "Part", models: Path, count: int | None) -> None:
    from ethical_lens.mini import rebuild

    found = rebuild.measured(part, models, count or rebuild.DRAWN)
    if found:
        print("| part | measured | share | bar | |\n|---|---|---|---|---|")
    for one in found:
        verdict = "reached" if one.passed else "**missed**"
        print(f"| {one.part} | {one.name} | {one.share:.3f} | {one.bar:.2f} | {verdict} |")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
