"""Long computations go on where they were interrupted."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from ethical_lens.mini.training.pieces import in_pieces


def row(number: int) -> npt.NDArray[np.float32]:
    return np.full((2, 3), number, np.float32)


def test_an_interrupted_computation_goes_on_with_what_is_missing(tmp_path: Path) -> None:
    file, asked = tmp_path / "rows.npy", list[int]()

    def interrupted(number: int) -> npt.NDArray[np.float32]:
        if number == 2:
            raise KeyboardInterrupt
        return row(number)

    def watched(number: int) -> npt.NDArray[np.float32]:
        asked.append(number)
        return row(number)

    with pytest.raises(KeyboardInterrupt):
        in_pieces(file, 4, interrupted)
    whole = in_pieces(file, 4, watched)

    assert asked == [2, 3]
    assert whole[:, 0].tolist() == [0, 0, 1, 1, 2, 2, 3, 3]
    assert [left.name for left in tmp_path.iterdir()] == ["rows.npy"]


def test_what_is_there_is_not_computed_again(tmp_path: Path) -> None:
    first = in_pieces(tmp_path / "rows.npy", 2, row)

    again = in_pieces(tmp_path / "rows.npy", 2, lambda _: pytest.fail("it is there"))

    assert np.array_equal(first, again)
