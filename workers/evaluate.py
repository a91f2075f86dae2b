"""The next piece of an evaluation that was prepared in the folder of evaluations.

The folder holds the truth, by locks and files (`ethical_lens.evaluation.shards`). A message says
"go on with this run": it does one piece and sends the next, so other work gets its turn between.
"""

from functools import cache
from threading import Lock
from typing import TYPE_CHECKING

from moderation.evaluations import run_folder

if TYPE_CHECKING:
    from ethical_lens.evaluation.paper import PaperRun

_ONE_AT_A_TIME = Lock()


def evaluation_continue(name: str) -> bool:
    """Do the next piece of the run; whether there was one.

    Raises `ReportMissing` where there is no such run, and as `PaperRun.load` and `PaperRun.run`.
    """
    with _ONE_AT_A_TIME:
        return _run(name).run_next()


@cache
def _run(name: str) -> "PaperRun":
    """A run names its own models: they are loaded with its first piece, once per process."""
    from ethical_lens.evaluation.paper import PaperRun

    return PaperRun.load(run_folder(name))
