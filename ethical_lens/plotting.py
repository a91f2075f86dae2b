"""Panels of plots as a PNG. matplotlib is imported here alone, and only when one is drawn."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def write_figure(
    file: Path,
    rows: int,
    columns: int,
    draw: "Callable[[Sequence[Axes]], None]",
    *,
    title: str | None = None,
) -> Path:
    """Write the panels that `draw` fills, row by row.

    Where the first has no legend yet, it gets one that stands for all. The same drawing gives the
    same bytes. Returns `file`.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(max(4.2 * columns, 6), 4 * rows), layout="constrained")
    FigureCanvasAgg(figure)
    axes = list(figure.subplots(rows, columns, squeeze=False).flat)
    draw(axes)
    handles, labels = axes[0].get_legend_handles_labels()
    if handles and axes[0].get_legend() is None:
        axes[0].legend(handles, labels)
    if title is not None:
        figure.suptitle(title)
    figure.savefig(file, dpi=110, metadata={"Software": None})
    return file
