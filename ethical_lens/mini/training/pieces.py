"""Long computations in pieces, each kept on disk until all are there."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from tqdm import tqdm


def in_pieces(
    file: Path, count: int, compute: Callable[[int], npt.NDArray[Any]]
) -> npt.NDArray[Any]:
    """`compute(0)` to `compute(count - 1)`, joined along their first axis and kept in `file`.

    Until all are there each lies by itself in a folder beside it, so that a run that was
    interrupted goes on with the first that is missing. A piece must follow from its number alone.
    """
    if not file.exists():
        folder = file.with_suffix(".pieces")
        folder.mkdir(parents=True, exist_ok=True)
        pieces = [folder / f"{number:05}.npy" for number in range(count)]
        for number, piece in enumerate(tqdm(pieces, desc=file.stem, mininterval=5)):
            if not piece.exists():
                _save(piece, compute(number))
        _save(file, np.concatenate([np.load(piece) for piece in pieces]))
        shutil.rmtree(folder)
    whole: npt.NDArray[Any] = np.load(file)
    return whole


def _save(file: Path, content: npt.NDArray[Any]) -> None:
    partial = file.with_suffix(".partial.npy")
    np.save(partial, content)
    partial.rename(file)
