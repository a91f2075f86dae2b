"""A face editor that needs no weights of its own: inpainting with those of the painter."""

from collections.abc import Sequence
from typing import Final

from PIL import Image

from ethical_lens.generation.inpainter import Inpainter
from ethical_lens.generation.painter import Painter
from ethical_lens.image.face_edit import FaceEdit

STRENGTH: Final = 1.0
"""How far back towards noise a face goes: all the way, for nothing of what shows now is to stay."""


class DiffusionEditor:
    """Paints the face anew from the picture's own prompt, which says what was drawn."""

    def __init__(self, painter: Painter) -> None:
        """Raises `PipelineUnavailable` where diffusers cannot inpaint with that pipeline."""
        self._inpainter = Inpainter(painter)

    def edit(self, edits: Sequence[FaceEdit]) -> list[Image.Image]:
        """As `FaceEditor`. One pass over all `edits`, which share a batch key."""
        # Whatever the feather touches is painted anew; it fades into the old picture afterwards.
        painted = self._inpainter.repaint(
            [edit.painted for edit in edits],
            [edit.image for edit in edits],
            [edit.mask.point(lambda value: 255 if value else 0) for edit in edits],
            STRENGTH,
        )
        return [
            Image.composite(new, edit.image, edit.mask)
            for new, edit in zip(painted, edits, strict=True)
        ]
