"""Backgrounds: two bands of colour and a few shapes that name the place."""

import random
from collections.abc import Callable

from ethical_lens.mini.world.canvas import SIZE, Canvas, Rgb
from ethical_lens.mini.world.scene import Place

_SKY: Rgb = (158, 208, 240)
_GRASS: Rgb = (146, 204, 124)
_WHITE: Rgb = (250, 250, 250)
_WOOD: Rgb = (150, 104, 66)
_LEAF: Rgb = (62, 140, 78)

_BANDS: dict[Place, tuple[Rgb, Rgb, float]] = {  # above, below, where they meet
    Place.OFFICE: ((226, 224, 214), (168, 160, 150), 66),
    Place.STREET: ((186, 190, 200), (120, 122, 130), 68),
    Place.PARK: (_SKY, _GRASS, 60),
    Place.BEACH: (_SKY, (242, 224, 160), 64),
    Place.HOSPITAL: ((206, 238, 232), (170, 208, 206), 66),
    Place.KITCHEN: ((250, 226, 178), (196, 120, 92), 68),
    Place.CLASSROOM: ((246, 238, 216), (206, 172, 130), 68),
    Place.FOREST: ((176, 214, 180), (96, 130, 72), 62),
    Place.MOUNTAINS: ((196, 222, 246), (236, 242, 248), 64),
    Place.FARM: (_SKY, (214, 186, 84), 60),
    Place.SQUARE: ((206, 218, 236), (206, 190, 170), 64),
    Place.ROOM: ((222, 204, 232), (158, 122, 142), 68),
}


def draw_place(canvas: Canvas, place: Place, rng: random.Random) -> None:
    """Fill the canvas with `place`; `rng` moves its shapes by a few pixels."""
    above, below, height = _BANDS[place]
    line = height + rng.uniform(-3, 3)
    canvas.fill(above)
    canvas.rectangle((-2, line, SIZE + 2, SIZE + 2), below)
    _SHAPES[place](canvas, line, rng.uniform(-3, 3))


def _office(canvas: Canvas, line: float, shift: float) -> None:
    for left in (6 + shift, 66 + shift):
        canvas.rectangle((left, 10, left + 22, 38), (150, 196, 226))
        canvas.rectangle((left + 10, 10, left + 12, 38), _WHITE)
    canvas.rectangle((-2, line - 8, 26 + shift, line + 8), (120, 90, 66))


def _street(canvas: Canvas, line: float, shift: float) -> None:
    for left, top, colour in (
        (2, 22, (176, 96, 82)),
        (34, 34, (206, 176, 132)),
        (66, 14, (126, 136, 160)),
    ):
        canvas.rectangle((left + shift, top, left + 28 + shift, line), colour)
        for x in (left + 5, left + 16):
            for y in range(top + 6, int(line) - 8, 13):
                canvas.rectangle((x + shift, y, x + 7 + shift, y + 7), (250, 232, 160))
    for x in range(4, SIZE, 28):
        canvas.rectangle((x + shift, 86, x + 14 + shift, 89), _WHITE)


def _tree(canvas: Canvas, x: float, foot: float, size: float) -> None:
    canvas.rectangle((x - size * 0.14, foot - size * 0.7, x + size * 0.14, foot), _WOOD)
    canvas.circle(x, foot - size, size * 0.46, _LEAF)


def _park(canvas: Canvas, line: float, shift: float) -> None:
    canvas.circle(80 + shift, 14, 8, (252, 216, 92))
    _tree(canvas, 12 + shift, line + 4, 28)
    _tree(canvas, 84 + shift, line + 8, 24)


def _beach(canvas: Canvas, line: float, shift: float) -> None:
    canvas.rectangle((-2, line - 16, SIZE + 2, line), (56, 142, 206))
    canvas.circle(16 + shift, 16, 9, (252, 216, 92))
    canvas.polygon(
        [(70 + shift, line - 6), (90 + shift, line - 6), (80 + shift, line - 26)], _WHITE
    )


def _hospital(canvas: Canvas, line: float, shift: float) -> None:
    canvas.rectangle((6 + shift, 10, 30 + shift, 34), _WHITE)
    canvas.rectangle((15 + shift, 14, 21 + shift, 30), (46, 160, 110))
    canvas.rectangle((10 + shift, 19, 26 + shift, 25), (46, 160, 110))
    canvas.rectangle((64 + shift, line - 10, SIZE + 4, line + 6), _WHITE)
    canvas.rectangle((64 + shift, line - 22, 70 + shift, line + 12), (130, 150, 160))


def _kitchen(canvas: Canvas, line: float, shift: float) -> None:
    canvas.rectangle((-2, 6, 34 + shift, 24), (168, 110, 70))
    canvas.rectangle((62 + shift, 6, SIZE + 4, 24), (168, 110, 70))
    canvas.rectangle((66 + shift, line - 20, 94 + shift, line + 14), (96, 100, 108))
    canvas.circle(80 + shift, line - 4, 6, (240, 130, 50))


def _classroom(canvas: Canvas, line: float, shift: float) -> None:
    canvas.rectangle((4 + shift, 6, 92 + shift, 42), _WOOD)
    canvas.rectangle((7 + shift, 9, 89 + shift, 39), (44, 104, 78))
    canvas.line([(14 + shift, 18), (30 + shift, 18)], _WHITE, 2)
    canvas.line([(66 + shift, 28), (82 + shift, 28)], _WHITE, 2)


def _forest(canvas: Canvas, line: float, shift: float) -> None:
    for x, height in ((6, 52), (26, 40), (72, 44), (90, 56)):
        canvas.rectangle((x - 2 + shift, line - 6, x + 2 + shift, line + 8), (100, 72, 48))
        canvas.polygon(
            [(x - 12 + shift, line), (x + 12 + shift, line), (x + shift, line - height)],
            (44, 108, 70),
        )


def _mountains(canvas: Canvas, line: float, shift: float) -> None:
    for x, top in ((18, 14), (76, 8), (48, 30)):
        canvas.polygon(
            [(x - 30 + shift, line), (x + 30 + shift, line), (x + shift, top)], (122, 136, 164)
        )
        canvas.polygon(
            [(x - 9 + shift, top + 15), (x + 9 + shift, top + 15), (x + shift, top)], _WHITE
        )


def _farm(canvas: Canvas, line: float, shift: float) -> None:
    canvas.rectangle((62 + shift, line - 26, 94 + shift, line + 4), (186, 60, 52))
    canvas.polygon(
        [(58 + shift, line - 26), (98 + shift, line - 26), (78 + shift, line - 44)], (120, 60, 48)
    )
    canvas.rectangle((72 + shift, line - 14, 84 + shift, line + 4), _WHITE)
    for x in range(-10, 60, 14):
        canvas.line([(x + shift, SIZE), (x + 12 + shift, line + 4)], (170, 140, 56), 2)


def _square(canvas: Canvas, line: float, shift: float) -> None:
    canvas.rectangle((8 + shift, line - 40, 34 + shift, line), (196, 172, 140))
    canvas.polygon(
        [(4 + shift, line - 40), (38 + shift, line - 40), (21 + shift, line - 58)], (150, 80, 70)
    )
    canvas.circle(21 + shift, line - 28, 6, _WHITE)
    canvas.rectangle((64 + shift, line - 8, 94 + shift, line + 4), (150, 156, 166))
    canvas.rectangle((76 + shift, line - 26, 82 + shift, line - 6), (90, 170, 220))


def _room(canvas: Canvas, line: float, shift: float) -> None:
    canvas.rectangle((8 + shift, 8, 30 + shift, 26), (232, 176, 84))
    canvas.rectangle((-2, line - 14, 24 + shift, line + 12), (96, 134, 172), radius=4)
    canvas.rectangle((80 + shift, line - 40, 83 + shift, line + 10), (110, 84, 60))
    canvas.polygon(
        [
            (72 + shift, line - 36),
            (91 + shift, line - 36),
            (86 + shift, line - 52),
            (77 + shift, line - 52),
        ],
        (250, 220, 130),
    )


_SHAPES: dict[Place, Callable[[Canvas, float, float], None]] = {
    Place.OFFICE: _office,
    Place.STREET: _street,
    Place.PARK: _park,
    Place.BEACH: _beach,
    Place.HOSPITAL: _hospital,
    Place.KITCHEN: _kitchen,
    Place.CLASSROOM: _classroom,
    Place.FOREST: _forest,
    Place.MOUNTAINS: _mountains,
    Place.FARM: _farm,
    Place.SQUARE: _square,
    Place.ROOM: _room,
}
