"""The next piece of an evaluation that was prepared in the folder of evaluations.

The folder holds the truth, by locks and files (`ethical_lens.evaluation.shards`). A message says
"go on with this run": it does one piece and sends the next, so other work gets its turn between.
"""

from functools import lru_cache
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

from moderation.evaluations import run_folder

if TYPE_CHECKING:
    from ethical_lens.evaluation.paper import PaperRun

_ONE_AT_A_TIME = Lock()


def evaluation_continue(name: str) -> bool:
    """Do the next piece of the run; whether there was one.

    Raises `ReportMissing` or `NoRun` where there is none, and as `PaperRun.load` and
    `PaperRun.run`.
    """
    from ethical_lens.evaluation.recipe import read_recipe

    with _ONE_AT_A_TIME:
        folder = run_folder(name)
        prepared = "".join(one.model_dump_json() for one in read_recipe(folder))
        return _run(folder, prepared).run_next()


@lru_cache(maxsize=1)
def _run(folder: Path, prepared: str) -> "PaperRun":
    """A run names its own models: they are loaded with its first piece, and let go for those of
    another run, or of one that was prepared anew under the same name."""
    from ethical_lens.evaluation.paper import PaperRun

    return PaperRun.load(folder)
