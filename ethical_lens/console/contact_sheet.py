"""What one prompt gave, in one picture. What may not be shown is named, and has no placeholder."""

import textwrap
from typing import Final

from PIL import Image, ImageDraw, ImageFont

from ethical_lens.lens import Generation, LensPicture

_CELL: Final = 192
_MARGIN: Final = 16
_LINE: Final = 18
_COLUMNS: Final = 4
_INK: Final = "#1f2328"
_FAINT: Final = "#656d76"


def contact_sheet(prompt: str, done: Generation) -> Image.Image:
    """The pictures that may be shown, in rows under `prompt`, each over its seed and draw."""
    shown = [(i, picture) for i, picture in enumerate(done.pictures) if picture.image is not None]
    held = [(i, picture) for i, picture in enumerate(done.pictures) if picture.image is None]
    rows = -(-len(shown) // _COLUMNS)
    wide, high = _CELL + _MARGIN, _CELL + 2 * _LINE + _MARGIN
    top = _MARGIN + 3 * _LINE
    size = (_COLUMNS * wide + _MARGIN, top + rows * high + len(held) * _LINE + _MARGIN)
    sheet = Image.new("RGB", size, "white")
    pen, large, small = (
        ImageDraw.Draw(sheet),
        ImageFont.load_default(17),
        ImageFont.load_default(12),
    )
    pen.text((_MARGIN, _MARGIN), textwrap.shorten(prompt, 85), _INK, large)
    labels = ", ".join(sorted(done.verdict.labels, reverse=True))
    line = f"{labels}. {done.verdict.explanation}"
    pen.text((_MARGIN, _MARGIN + 24), textwrap.shorten(line, 125), _FAINT, small)
    for place, (number, picture) in enumerate(shown):
        left, upper = _MARGIN + place % _COLUMNS * wide, top + place // _COLUMNS * high
        assert picture.image is not None
        thumbnail = _fitted(picture.image)
        sheet.paste(thumbnail, (left, upper + _CELL - thumbnail.height))
        for i, text in enumerate((f"{number:04}, seed {picture.seed}", _drawn(picture))):
            pen.text((left, upper + _CELL + 2 + i * _LINE), text, _FAINT, small)
    for i, (number, picture) in enumerate(held):
        final = picture.outcome.final
        text = f"{number:04} is not shown: {final.action}, {final.reason}"
        pen.text((_MARGIN, top + rows * high + i * _LINE), text, _INK, small)
    return sheet


def _fitted(image: Image.Image) -> Image.Image:
    scale = _CELL / max(image.size)
    size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    return image.resize(size, Image.Resampling.NEAREST if scale > 1 else Image.Resampling.LANCZOS)


def _drawn(picture: LensPicture) -> str:
    people = (", ".join(filter(None, (draw.gender, draw.race, draw.age))) for draw in picture.draws)
    return textwrap.shorten("; ".join(filter(None, people)), 32, placeholder="…")
