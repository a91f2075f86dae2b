"""A canvas that is drawn four times as large and made small at the end, so that edges are soft.

Coordinates are pixels of the finished picture, as floats.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

from ethical_lens.mini.world.scene import Style

SIZE = 96
"""Side of every drawing, in pixels."""
_SCALE = 4

Rgb = tuple[int, int, int]
Box = tuple[float, float, float, float]
Mask = npt.NDArray[np.bool_]

_INK: Rgb = (30, 30, 36)
_OUTLINE_WIDTH = 3


class Canvas:
    """Draws in one style: what is named `fixed` keeps its colour in every style."""

    def __init__(self, style: Style) -> None:
        self._style = style
        self._outline = _INK if style is Style.OUTLINE else None
        self._image = Image.new("RGB", (SIZE * _SCALE, SIZE * _SCALE))
        self._draw = ImageDraw.Draw(self._image)
        self._regions: dict[str, ImageDraw.ImageDraw] = {}
        self._masks: dict[str, Image.Image] = {}

    def fill(self, colour: Rgb) -> None:
        self._draw.rectangle((0, 0, SIZE * _SCALE, SIZE * _SCALE), fill=self._tone(colour))

    def rectangle(
        self, box: Box, colour: Rgb, *, radius: float = 0.0, fixed: bool = False, region: str = ""
    ) -> None:
        if box[3] <= box[1]:  # below the lower edge of the picture
            return
        at = _scaled(box)
        self._draw.rounded_rectangle(
            at,
            radius * _SCALE,
            fill=self._colour(colour, fixed),
            outline=self._outline,
            width=_OUTLINE_WIDTH,
        )
        if region:
            self._region(region).rounded_rectangle(at, radius * _SCALE, fill=255)

    def ellipse(self, box: Box, colour: Rgb, *, fixed: bool = False, region: str = "") -> None:
        at = _scaled(box)
        self._draw.ellipse(
            at, fill=self._colour(colour, fixed), outline=self._outline, width=_OUTLINE_WIDTH
        )
        if region:
            self._region(region).ellipse(at, fill=255)

    def circle(
        self, x: float, y: float, r: float, colour: Rgb, *, fixed: bool = False, region: str = ""
    ) -> None:
        self.ellipse((x - r, y - r, x + r, y + r), colour, fixed=fixed, region=region)

    def polygon(
        self, points: Sequence[tuple[float, float]], colour: Rgb, *, fixed: bool = False,
        region: str = "",
    ) -> None:  # fmt: skip
        at = [(x * _SCALE, y * _SCALE) for x, y in points]
        self._draw.polygon(
            at, fill=self._colour(colour, fixed), outline=self._outline, width=_OUTLINE_WIDTH
        )
        if region:
            self._region(region).polygon(at, fill=255)

    def line(
        self, points: Sequence[tuple[float, float]], colour: Rgb, width: float, *,
        fixed: bool = False, region: str = "",
    ) -> None:  # fmt: skip
        """A line with round ends and joints."""
        at, wide = [(x * _SCALE, y * _SCALE) for x, y in points], round(width * _SCALE)
        for draw, ink in self._layers(region, self._colour(colour, fixed)):
            draw.line(at, fill=ink, width=wide, joint="curve")
            for x, y in (at[0], at[-1]):
                draw.ellipse((x - wide / 2, y - wide / 2, x + wide / 2, y + wide / 2), fill=ink)

    def arc(self, box: Box, start: float, end: float, colour: Rgb, width: float) -> None:
        """Part of an ellipse's edge; angles in degrees, clockwise from three o'clock."""
        self._draw.arc(_scaled(box), start, end, self._colour(colour, True), round(width * _SCALE))

    def half(self, box: Box, start: float, end: float, colour: Rgb, *, fixed: bool = False) -> None:
        """Part of an ellipse, cut off by the chord between two angles."""
        self._draw.chord(
            _scaled(box),
            start,
            end,
            fill=self._colour(colour, fixed),
            outline=self._outline,
            width=_OUTLINE_WIDTH,
        )

    def hatch(self, region: str, ink: Rgb, spacing: float, width: float) -> None:
        """Cross-hatch all that was drawn in `region` so far."""
        side = SIZE * _SCALE
        lines = Image.new("L", (side, side))
        draw = ImageDraw.Draw(lines)
        step = round(spacing * _SCALE)
        for offset in range(-side, side, step):
            draw.line([(offset, 0), (offset + side, side)], fill=255, width=round(width * _SCALE))
            draw.line([(offset, side), (offset + side, 0)], fill=255, width=round(width * _SCALE))
        mask = Image.composite(lines, Image.new("L", (side, side)), self._masks[region])
        self._image.paste(Image.new("RGB", (side, side), ink), mask=mask)

    def picture(self) -> Image.Image:
        """The finished picture, RGB, `SIZE` x `SIZE`."""
        return self._image.resize((SIZE, SIZE), Image.Resampling.BOX)

    def masks(self) -> dict[str, Mask]:
        """Where each region is, (`SIZE`, `SIZE`); a pixel counts if half of it is covered."""
        return {
            name: np.asarray(mask.resize((SIZE, SIZE), Image.Resampling.BOX)) >= 128
            for name, mask in self._masks.items()
        }

    def _region(self, name: str) -> ImageDraw.ImageDraw:
        if name not in self._regions:
            self._masks[name] = Image.new("L", self._image.size)
            self._regions[name] = ImageDraw.Draw(self._masks[name])
        return self._regions[name]

    def _layers(self, region: str, ink: Rgb) -> list[tuple[ImageDraw.ImageDraw, Rgb | int]]:
        layers: list[tuple[ImageDraw.ImageDraw, Rgb | int]] = [(self._draw, ink)]
        return [*layers, (self._region(region), 255)] if region else layers

    def _colour(self, colour: Rgb, fixed: bool) -> Rgb:
        return colour if fixed else self._tone(colour)

    def _tone(self, colour: Rgb) -> Rgb:
        red, green, blue = colour
        if self._style is Style.NIGHT:
            return (round(red * 0.34), round(green * 0.36), round(blue * 0.42 + 38))
        if self._style is Style.SEPIA:
            grey = 0.3 * red + 0.59 * green + 0.11 * blue
            return (
                min(255, round(grey * 0.86 + 40)),
                min(255, round(grey * 0.78 + 22)),
                min(255, round(grey * 0.60 + 4)),
            )
        return colour


def _scaled(box: Box) -> Box:
    left, top, right, bottom = box
    return (left * _SCALE, top * _SCALE, right * _SCALE, bottom * _SCALE)
