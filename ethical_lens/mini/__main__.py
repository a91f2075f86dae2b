"""`python -m ethical_lens.mini`: train, measure and install the miniature models."""

import argparse
import sys
from pathlib import Path

WORK = Path(".local/mini")


def main() -> int:
    """0 when all went well, 1 when no part has a name that was given, or a bar is missed."""
    parser = argparse.ArgumentParser(prog="python -m ethical_lens.mini")
    commands = parser.add_subparsers(dest="command", required=True)
    for name, text in (
        ("train", "train the miniature models, or go on where that was interrupted"),
        ("check", "measure trained models against their bars"),
        ("install", "put trained models into the package, with their digests"),
    ):
        command = commands.add_parser(name, help=text)
        command.add_argument("parts", nargs="*", metavar="PART", help="all unless named")
        command.add_argument("--work", type=Path, default=WORK, help=f"default: {WORK}")
        if name == "check":
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
    from ethical_lens.mini import rebuild, weights

    try:
        parts = rebuild.chosen(arguments.parts)
    except ValueError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    models = arguments.work / "models"
    if arguments.command == "train":
        for part in rebuild.rebuild(parts, arguments.work, models):
            drawn = rebuild.write_sheet(part, models, arguments.work / "sheets")
            print(f"{part.name}: {models / part.folder}{f', shown in {drawn}' if drawn else ''}")
        return 0
    if arguments.command == "install":
        weights.install(models, sorted({part.folder.split("/")[0] for part in parts}))
        return 0
    print("| part | measured | share | bar | |\n|---|---|---|---|---|")
    good = True
    for part in parts:
        found = rebuild.measured(part, models, arguments.count or rebuild.DRAWN)
        weights.record(models, part.name, {one.name: one.share for one in found})
        for reached in found:
            good &= reached.passed
            verdict = "reached" if reached.passed else "**missed**"
            print(
                f"| {part.name} | {reached.name} | {reached.share:.3f} | {reached.bar:.2f} | "
                f"{verdict} |",
                flush=True,
            )
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
