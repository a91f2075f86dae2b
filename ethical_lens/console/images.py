"""`ethical-lens images`: scrutiny of pictures that exist already."""

import argparse
import json
import os
import sys
import warnings
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tqdm import tqdm

from ethical_lens.console.inputs import add_models, add_policy, read_policy
from ethical_lens.policy import Policy
from ethical_lens.results import Concept, PictureAction
from ethical_lens.sources import ModelSources

if TYPE_CHECKING:
    from ethical_lens.image.readings import ReadsFaces
    from ethical_lens.image.regions import RegionFinder
    from ethical_lens.image.scrutineer import Scrutineer

FLAGGED = 3
"""Exit code of `--fail-on-finding`."""


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """The options of `images`."""
    parser = commands.add_parser("images", help="scrutinise pictures")
    parser.add_argument(
        "paths", type=Path, nargs="+", metavar="PATH", help="pictures, and folders with all below"
    )
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    parser.add_argument(
        "--fail-on-finding",
        action="store_true",
        help=f"exit with {FLAGGED} unless every picture may be shown as it is",
    )
    add_models(parser)
    add_policy(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print a line for each picture; 1 where any could not be read, else 0 or `FLAGGED`."""
    policy = read_policy(arguments.policy)
    sources = ModelSources.read(arguments.models)

    from PIL import Image

    from ethical_lens.console.quiet import quiet_libraries

    quiet_libraries()
    warnings.filterwarnings("ignore", module="PIL")  # damaged metadata, which is not used
    warnings.simplefilter("error", Image.DecompressionBombWarning)
    judge = PictureJudge.load(sources, policy)
    files = [file for path in arguments.paths for file in files_below(path)]
    actions = Counter[str]()
    if not arguments.json:
        print(_row("action", [concept.value for concept in Concept], "picture"))
    # No bar where the output is a terminal as well: the lines are progress enough.
    for file in tqdm(files, unit=" pictures", disable=None if not sys.stdout.isatty() else True):
        line = {"path": str(file), **judge.judge(file)}
        actions[line.get("action", "error")] += 1
        print(json.dumps(line) if arguments.json else _readable(line), flush=True)
    counts = ", ".join(f"{count} {action}" for action, count in sorted(actions.items()))
    print(f"{len(files)} pictures: {counts}", file=sys.stderr)
    if actions["error"]:
        return 1
    flagged = actions.total() - actions[PictureAction.RELEASE]
    return FLAGGED if arguments.fail_on_finding and flagged else 0


def files_below(path: Path) -> Iterator[Path]:
    """`path`, or where it is a folder all files below that are named like pictures.

    A folder without any is given itself, so that it is reported and not passed over.
    """
    from ethical_lens.image.reading import SUFFIXES

    if not path.is_dir():
        yield path
        return
    found = sorted(file for file in path.rglob("*") if file.suffix.lower() in SUFFIXES)
    yield from [file for file in found if file.is_file()] or [path]


class PictureJudge:
    """All models of scrutiny and a policy, for pictures of which nothing else is known."""

    def __init__(
        self,
        scrutineer: "Scrutineer",
        regions: "RegionFinder",
        reader: "ReadsFaces",
        policy: Policy,
    ) -> None:
        self._scrutineer = scrutineer
        self._regions = regions
        self._reader = reader
        self._policy = policy

    @classmethod
    def load(cls, sources: ModelSources, policy: Policy) -> "PictureJudge":
        """Raises `ScrutinyUnavailable` with what is missing."""
        from ethical_lens.image.face_readers import load_face_reader
        from ethical_lens.image.regions import RegionFinder
        from ethical_lens.image.scrutineer import Scrutineer

        scrutineer = Scrutineer.load(sources)
        regions = RegionFinder.load(sources.regions, sources.device)
        return cls(scrutineer, regions, load_face_reader(sources, scrutineer, regions), policy)

    def judge(self, file: Path) -> dict[str, Any]:
        """The verdict on one file, or `error` and its `code` where there is none.

        `action`: `release` as it is, `blur` where it may be shown once blurred, `block`, or
        `review`; never `repaint`, for there is no prompt. Scores and findings are of the picture
        as it is.
        """
        from ethical_lens.image.errors import ScrutinyError, UnreadablePicture
        from ethical_lens.image.reading import read_picture
        from ethical_lens.image.scrutinise import ScrutinyRequest, scrutinise

        try:
            request = ScrutinyRequest(
                image=read_picture(file),
                round=self._policy.rounds,
                under_twenty=False,  # nobody said; the face reader may
                figures=(),
                policy=self._policy,
            )
            (outcome,) = scrutinise([request], self._scrutineer, self._regions, self._reader)
        except UnreadablePicture as error:
            return {"error": str(error), "code": error.code}
        except ScrutinyError as error:
            return {"error": str(error), "code": "failed"}
        first, final = outcome.first, outcome.final
        shown_blurred = outcome.blurred is not None and final.action is PictureAction.RELEASE
        deciding = first if shown_blurred else final
        return {
            "action": deciding.action,
            "reason": deciding.reason,
            "explanation": deciding.explanation,
            "scores": first.scores,
            "findings": [finding.model_dump() for finding in first.findings],
            "faces": [face.model_dump(mode="json") for face in first.faces],
        }


def _readable(line: dict[str, Any]) -> str:
    path = os.fsencode(line["path"]).decode(errors="replace")
    if "error" in line:
        return _row("error", [""] * len(Concept), f"{path}: {line['error']}")
    fired = {finding["concept"] for finding in line["findings"]}
    scores = [
        f"{line['scores'][concept]:.2f}{'*' if concept in fired else ' '}"
        if concept in line["scores"]
        else "?"
        for concept in Concept
    ]
    return _row(line["action"], scores, path)


def _row(action: str, scores: Sequence[str], picture: str) -> str:
    return f"{action:<8} {' '.join(f'{score:>8}' for score in scores)}  {picture}"
