"""Contact sheets: pictures in rows, each with a line of text below."""

import random
import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from PIL import Image, ImageDraw, ImageFont

from ethical_lens.mini.world.canvas import SIZE
from ethical_lens.mini.world.drawing import draw
from ethical_lens.mini.world.sampling import balanced_scene, figure
from ethical_lens.mini.world.scene import (
    RACES,
    Figure,
    Framing,
    Hair,
    Kind,
    Person,
    Place,
    Scene,
    StandIn,
    Style,
)
from ethical_lens.results import LifeStage

_LINE: Final = 14
_MARGIN: Final = 6
_INK: Final = (40, 40, 48)
_FAINT: Final = (110, 110, 122)
_EMPTY: Final = (232, 232, 236)


def sheet(pictures: Sequence[tuple[Image.Image, str]], columns: int) -> Image.Image:
    """`pictures` (RGB, 96 x 96) with their texts, `columns` to a row, on white."""
    rows = -(-len(pictures) // columns)
    wide, high = SIZE + _MARGIN, SIZE + _LINE + _MARGIN
    whole = Image.new("RGB", (columns * wide + _MARGIN, rows * high + _MARGIN), "white")
    pen, font = ImageDraw.Draw(whole), ImageFont.load_default(9)
    for i, (picture, text) in enumerate(pictures):
        left, top = _MARGIN + i % columns * wide, _MARGIN + i // columns * high
        whole.paste(picture, (left, top))
        pen.text((left, top + SIZE + 1), _fitting(text, font), _INK, font)
    return whole


def empty_tile(text: str) -> Image.Image:
    """A grey field, 96 x 96, with a few words: what stands where no picture is shown."""
    field = Image.new("RGB", (SIZE, SIZE), _EMPTY)
    words = "\n".join(textwrap.wrap(text, 15))
    ImageDraw.Draw(field).text((6, 30), words, _FAINT, ImageFont.load_default(10))
    return field


def write_world_sheets(folder: Path) -> list[Path]:
    """The pictures of `docs/mini-world.md`; the files that were written."""
    folder.mkdir(parents=True, exist_ok=True)
    files = []
    for name, scenes, columns in (
        ("world", _by_chance(), 10),
        ("people", _people(), 6),
        ("kinds", _kinds(), 10),
        ("stand-ins", _stand_ins(), 4),
    ):
        pictures = [(draw(scene).picture, text) for text, scene in scenes]
        file = folder / f"{name}.png"
        sheet(pictures, columns).save(file, optimize=True)
        files.append(file)
    return files


def _by_chance() -> list[tuple[str, Scene]]:
    rng = random.Random(4)
    return [("", balanced_scene(rng)) for _ in range(30)]


def _people() -> list[tuple[str, Scene]]:
    return [
        (f"{race}, {stage.value}", _scene(Person(gender, race, stage, hair=hair)))
        for gender, hair in (("female", Hair.BLACK), ("male", Hair.BROWN))
        for race, stages in ((race, LifeStage) for race in RACES[:: 2 if gender == "male" else 1])
        for stage in stages
    ]


def _kinds() -> list[tuple[str, Scene]]:
    kinds = list(Kind)
    return [
        (
            kind.value,
            _scene(
                Person(
                    ("female", "male")[i % 2],
                    RACES[i % len(RACES)],
                    LifeStage.YOUNG_ADULTHOOD,
                    kind,
                ),
                Framing.HALF,
            ),
        )
        for i, kind in enumerate(kinds)
    ]


def _stand_ins() -> list[tuple[str, Scene]]:
    adult = Person("female", "Asian", LifeStage.MIDDLE_AGE, nude=True)
    alone = [
        (stand_in.value, Scene(2, place=Place.STREET, stand_ins=frozenset({stand_in})))
        for stand_in in StandIn
    ]
    named = [(name.value, _scene(figure(name, random.Random(1)))) for name in Figure]
    return [*alone, ("unclothed (adults only)", _scene(adult)), *named]


def _scene(person: Person, framing: Framing = Framing.PORTRAIT) -> Scene:
    return Scene(3, Style.FLAT, Place.PARK, framing, (person,))


def _fitting(text: str, font: "ImageFont.ImageFont | ImageFont.FreeTypeFont") -> str:
    while text and font.getlength(text) > SIZE:
        text = f"{text.rstrip('…')[:-1]}…"
    return text
