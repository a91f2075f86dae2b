"""Somebody in the miniature world, and an editor that knows how she would look otherwise."""

import dataclasses
from collections.abc import Sequence

from PIL import Image

from ethical_lens.image.face_edit import FaceEdit
from ethical_lens.mini.world.drawing import draw
from ethical_lens.mini.world.scene import Kind, Person, Place, Scene
from ethical_lens.results import LifeStage

SHOWN = Person("female", "Black", LifeStage.YOUNG_ADULTHOOD, kind=Kind.DOCTOR)


def drawn(*people: Person) -> Image.Image:
    """A drawing of `people` in an office, the same every time."""
    return draw(Scene(11, place=Place.OFFICE, people=people)).picture


class Redraws:
    """A `FaceEditor`: draws `SHOWN` again with the attributes that are wanted.

    With `spoils` it changes a pixel outside the mask as well.
    """

    def __init__(self, *, spoils: bool = False) -> None:
        self.asked, self.spoils = list[FaceEdit](), spoils

    def edit(self, edits: Sequence[FaceEdit]) -> list[Image.Image]:
        self.asked += edits
        return [self._one(edit) for edit in edits]

    def _one(self, edit: FaceEdit) -> Image.Image:
        wanted = dataclasses.replace(
            SHOWN,
            gender=edit.draw.gender or SHOWN.gender,
            race=edit.draw.race or SHOWN.race,
            stage=edit.draw.age or SHOWN.stage,
        )
        image = Image.composite(drawn(wanted), edit.image, edit.mask)
        if self.spoils:
            image.putpixel((0, 0), (1, 2, 3))
        return image
