"""CPU time of whole trees of processes: what a job costs, however crowded the machine is."""

from collections.abc import Mapping

import psutil


def cpu_seconds(roots: Mapping[str, int]) -> dict[str, float]:
    """Seconds in user and kernel mode that each of `roots` (name, process id) and its descendants
    have used so far, those that have ended included.

    Raises psutil's `NoSuchProcess` where a root is gone.
    """
    return {name: _tree_seconds(psutil.Process(pid)) for name, pid in roots.items()}


def _tree_seconds(root: psutil.Process) -> float:
    seconds = 0.0
    for process in (root, *root.children(recursive=True)):
        try:
            times = process.cpu_times()
        except psutil.NoSuchProcess:  # ended between the look and now: its parent has its time
            continue
        seconds += times.user + times.system + times.children_user + times.children_system
    return seconds
