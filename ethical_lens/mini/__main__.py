"""`python -m ethical_lens.mini build DIR`."""

import argparse
import sys
from pathlib import Path

from ethical_lens.mini import stand_in


def main() -> int:
    """Build the stand-in models; 0 when they are there, 1 when they cannot be built."""
    parser = argparse.ArgumentParser(prog="python -m ethical_lens.mini")
    commands = parser.add_subparsers(dest="command", required=True)
    build = commands.add_parser("build", help="build randomly initialised stand-in models")
    build.add_argument("folder", type=Path, metavar="DIR")
    arguments = parser.parse_args()

    try:
        sources = stand_in.build(arguments.folder)
    except (stand_in.StandInError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(f"{sources}\n{stand_in.NOTE}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
