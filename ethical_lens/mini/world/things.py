"""Objects, animals and patterns: what a scene without people shows."""

import random
from collections.abc import Callable

from ethical_lens.mini.world.canvas import SIZE, Canvas, Rgb
from ethical_lens.mini.world.palette import COLOURS
from ethical_lens.mini.world.scene import Colour, Pattern, Thing

_WHITE: Rgb = (250, 250, 250)
_INK: Rgb = (40, 38, 44)
_WOOD: Rgb = (140, 96, 60)
_LEAF: Rgb = (58, 140, 76)


def draw_thing(
    canvas: Canvas, thing: Thing, colour: Colour, *, alone: bool, rng: random.Random
) -> None:
    """In the middle and large where it is `alone`, else in a lower corner."""
    if alone:
        x, y, size = 48 + rng.uniform(-8, 8), 58 + rng.uniform(-4, 4), 26 + rng.uniform(-3, 3)
    else:
        x, y, size = 82 + rng.uniform(-2, 2), 80 + rng.uniform(-2, 2), 13.0
    if thing is Thing.SHRINE:
        draw_shrine(canvas, x, y - size * 0.4, size)
    else:
        _SHAPES[thing](canvas, x, y, size, COLOURS[colour])


def draw_pattern(canvas: Canvas, pattern: Pattern, colour: Colour, rng: random.Random) -> None:
    """Fill the canvas with `pattern`."""
    ink, shift = COLOURS[colour], rng.uniform(0, 10)
    canvas.fill((246, 242, 232))
    if pattern is Pattern.STRIPES:
        for left in range(-20, SIZE + 20, 20):
            canvas.rectangle((left + shift, -2, left + shift + 10, SIZE + 2), ink)
    elif pattern is Pattern.CHECKS:
        for i in range(-1, 7):
            for j in range(-1, 7):
                if (i + j) % 2 == 0:
                    canvas.rectangle(
                        (i * 16 + shift, j * 16 + shift, i * 16 + shift + 16, j * 16 + shift + 16),
                        ink,
                    )
    else:
        for i in range(4):
            for j in range(4):
                x, y, r = i * 26 + shift + rng.uniform(-2, 2), j * 26 + shift, rng.uniform(7, 10)
                if pattern is Pattern.CIRCLES:
                    canvas.circle(x, y, r, ink)
                else:
                    canvas.polygon([(x - r, y + r), (x + r, y + r), (x, y - r)], ink)


def draw_shrine(canvas: Canvas, x: float, y: float, size: float) -> None:
    """The sign of an invented temple: a golden ring with a wave, on a stone."""
    canvas.rectangle(
        (x - size * 0.55, y + size * 0.7, x + size * 0.55, y + size * 1.2), (150, 146, 160)
    )
    canvas.rectangle(
        (x - size * 0.16, y + size * 0.4, x + size * 0.16, y + size * 0.8), (150, 146, 160)
    )
    canvas.circle(x, y, size * 0.62, (236, 180, 30), fixed=True)
    canvas.circle(x, y, size * 0.4, (250, 246, 226), fixed=True)
    canvas.half(
        (x - size * 0.3, y - size * 0.3, x + size * 0.3, y + size * 0.3),
        0,
        180,
        (20, 120, 150),
        fixed=True,
    )


def _house(canvas: Canvas, x: float, y: float, s: float, colour: Rgb) -> None:
    canvas.rectangle((x - s * 0.8, y - s * 0.4, x + s * 0.8, y + s * 0.8), colour)
    canvas.polygon([(x - s, y - s * 0.4), (x + s, y - s * 0.4), (x, y - s * 1.2)], (120, 60, 48))
    canvas.rectangle((x - s * 0.18, y + s * 0.1, x + s * 0.18, y + s * 0.8), _WOOD)
    canvas.rectangle((x + s * 0.35, y - s * 0.15, x + s * 0.65, y + s * 0.15), (190, 226, 246))


def _tree(canvas: Canvas, x: float, y: float, s: float, colour: Rgb) -> None:
    canvas.rectangle((x - s * 0.15, y - s * 0.2, x + s * 0.15, y + s), _WOOD)
    for dx, dy in ((-0.5, -0.4), (0.5, -0.4), (0.0, -0.9), (0.0, -0.3)):
        canvas.circle(x + dx * s, y + dy * s, s * 0.5, colour)


def _car(canvas: Canvas, x: float, y: float, s: float, colour: Rgb) -> None:
    canvas.rectangle((x - s * 0.6, y - s * 0.5, x + s * 0.5, y + s * 0.1), colour, radius=s * 0.2)
    canvas.rectangle((x - s * 0.45, y - s * 0.38, x + s * 0.35, y - s * 0.02), (190, 226, 246))
    canvas.rectangle((x - s * 1.1, y - s * 0.05, x + s * 1.1, y + s * 0.5), colour, radius=s * 0.15)
    for dx in (-0.6, 0.6):
        canvas.circle(x + dx * s, y + s * 0.52, s * 0.26, _INK)
        canvas.circle(x + dx * s, y + s * 0.52, s * 0.11, (200, 200, 206))


def _boat(canvas: Canvas, x: float, y: float, s: float, colour: Rgb) -> None:
    canvas.polygon(
        [
            (x - s, y + s * 0.2),
            (x + s, y + s * 0.2),
            (x + s * 0.6, y + s * 0.8),
            (x - s * 0.6, y + s * 0.8),
        ],
        colour,
    )
    canvas.line([(x, y + s * 0.2), (x, y - s)], _WOOD, s * 0.1)
    canvas.polygon([(x + s * 0.1, y - s), (x + s * 0.1, y), (x + s * 0.8, y)], _WHITE)


def _lighthouse(canvas: Canvas, x: float, y: float, s: float, colour: Rgb) -> None:
    canvas.polygon(
        [
            (x - s * 0.25, y - s),
            (x + s * 0.25, y - s),
            (x + s * 0.45, y + s),
            (x - s * 0.45, y + s),
        ],
        _WHITE,
    )
    for row in (-0.6, 0.1, 0.7):
        canvas.rectangle((x - s * 0.36, y + row * s, x + s * 0.36, y + (row + 0.28) * s), colour)
    canvas.rectangle((x - s * 0.3, y - s * 1.35, x + s * 0.3, y - s), (255, 230, 120))
    canvas.polygon(
        [(x - s * 0.36, y - s * 1.35), (x + s * 0.36, y - s * 1.35), (x, y - s * 1.65)], colour
    )


def _balloons(canvas: Canvas, x: float, y: float, s: float, colour: Rgb) -> None:
    for dx, dy in ((-0.6, -0.4), (0.6, -0.5), (0.0, -0.9)):
        canvas.line([(x + dx * s, y + dy * s), (x, y + s)], _INK, 1)
        canvas.ellipse(
            (
                x + dx * s - s * 0.36,
                y + dy * s - s * 0.44,
                x + dx * s + s * 0.36,
                y + dy * s + s * 0.44,
            ),
            colour,
        )


def _apples(canvas: Canvas, x: float, y: float, s: float, colour: Rgb) -> None:
    for dx, dy in ((-0.5, 0.4), (0.5, 0.4), (0.0, -0.3)):
        canvas.circle(x + dx * s, y + dy * s, s * 0.42, colour)
        canvas.line(
            [(x + dx * s, y + (dy - 0.36) * s), (x + (dx + 0.12) * s, y + (dy - 0.62) * s)],
            _WOOD,
            s * 0.08,
        )
        canvas.ellipse(
            (x + (dx + 0.1) * s, y + (dy - 0.6) * s, x + (dx + 0.38) * s, y + (dy - 0.44) * s),
            _LEAF,
        )


def _flower(canvas: Canvas, x: float, y: float, s: float, colour: Rgb) -> None:
    canvas.line([(x, y - s * 0.4), (x, y + s)], _LEAF, s * 0.12)
    canvas.ellipse((x, y + s * 0.3, x + s * 0.6, y + s * 0.55), _LEAF)
    for dx, dy in ((-0.36, -0.4), (0.36, -0.4), (-0.22, -0.8), (0.22, -0.8), (0.0, -0.16)):
        canvas.circle(x + dx * s, y + dy * s, s * 0.3, colour)
    canvas.circle(x, y - s * 0.52, s * 0.24, (255, 240, 160))


def _umbrella(canvas: Canvas, x: float, y: float, s: float, colour: Rgb) -> None:
    canvas.line([(x, y - s * 0.4), (x, y + s * 0.9)], _WOOD, s * 0.1)
    canvas.half((x - s, y - s, x + s, y + s * 0.8), 180, 360, colour)
    canvas.half((x - s * 0.35, y - s, x + s * 0.35, y + s * 0.8), 180, 360, _WHITE)


def _cup(canvas: Canvas, x: float, y: float, s: float, colour: Rgb) -> None:
    canvas.ellipse((x + s * 0.3, y - s * 0.2, x + s * 0.95, y + s * 0.5), colour)
    canvas.ellipse((x + s * 0.45, y - s * 0.05, x + s * 0.8, y + s * 0.35), _WHITE)
    canvas.rectangle((x - s * 0.6, y - s * 0.4, x + s * 0.6, y + s * 0.8), colour, radius=s * 0.2)
    canvas.ellipse((x - s * 0.6, y - s * 0.55, x + s * 0.6, y - s * 0.2), (96, 56, 34))


def _kite(canvas: Canvas, x: float, y: float, s: float, colour: Rgb) -> None:
    canvas.line([(x, y), (x - s * 0.8, y + s * 1.1)], _INK, 1)
    canvas.polygon(
        [
            (x, y - s * 1.1),
            (x + s * 0.7, y - s * 0.3),
            (x, y + s * 0.6),
            (x - s * 0.7, y - s * 0.3),
        ],
        colour,
    )
    canvas.line([(x, y - s * 1.1), (x, y + s * 0.6)], _WHITE, s * 0.08)
    canvas.line([(x - s * 0.7, y - s * 0.3), (x + s * 0.7, y - s * 0.3)], _WHITE, s * 0.08)


def _four_legged(canvas: Canvas, x: float, y: float, s: float, coat: Rgb) -> None:
    """Body, legs and head that cat and dog share."""
    canvas.ellipse((x - s * 0.9, y - s * 0.2, x + s * 0.6, y + s * 0.5), coat)
    for dx in (-0.65, 0.3):
        canvas.rectangle(
            (x + dx * s - s * 0.12, y + s * 0.2, x + dx * s + s * 0.12, y + s * 0.9), coat
        )
    canvas.circle(x + s * 0.6, y - s * 0.35, s * 0.45, coat)
    for dx in (0.45, 0.78):
        canvas.circle(x + dx * s, y - s * 0.4, s * 0.07, _INK)


def _cat(canvas: Canvas, x: float, y: float, s: float, colour: Rgb) -> None:
    for dx in (0.34, 0.86):
        canvas.polygon(
            [
                (x + (dx - 0.18) * s, y - s * 0.6),
                (x + (dx + 0.18) * s, y - s * 0.6),
                (x + dx * s, y - s * 1.05),
            ],
            colour,
        )
    canvas.line([(x - s * 0.8, y + s * 0.1), (x - s * 1.15, y - s * 0.7)], colour, s * 0.16)
    _four_legged(canvas, x, y, s, colour)


def _dog(canvas: Canvas, x: float, y: float, s: float, colour: Rgb) -> None:
    _four_legged(canvas, x, y, s, colour)
    canvas.ellipse((x + s * 0.8, y - s * 0.4, x + s * 1.3, y - s * 0.05), colour)
    canvas.circle(x + s * 1.25, y - s * 0.3, s * 0.1, _INK)
    canvas.ellipse((x + s * 0.1, y - s * 0.7, x + s * 0.42, y - s * 0.0), (84, 54, 34))


def _bird(canvas: Canvas, x: float, y: float, s: float, colour: Rgb) -> None:
    canvas.polygon(
        [(x - s * 0.5, y), (x - s * 1.2, y - s * 0.3), (x - s * 1.1, y + s * 0.3)], colour
    )
    canvas.ellipse((x - s * 0.8, y - s * 0.4, x + s * 0.6, y + s * 0.5), colour)
    canvas.circle(x + s * 0.5, y - s * 0.4, s * 0.36, colour)
    canvas.polygon(
        [(x + s * 0.8, y - s * 0.5), (x + s * 0.8, y - s * 0.25), (x + s * 1.2, y - s * 0.35)],
        (250, 160, 30),
    )
    canvas.circle(x + s * 0.58, y - s * 0.48, s * 0.08, _INK)
    canvas.ellipse((x - s * 0.5, y - s * 0.2, x + s * 0.25, y + s * 0.25), _WHITE)


def _fish(canvas: Canvas, x: float, y: float, s: float, colour: Rgb) -> None:
    canvas.polygon(
        [(x - s * 0.5, y), (x - s * 1.15, y - s * 0.55), (x - s * 1.15, y + s * 0.55)], colour
    )
    canvas.ellipse((x - s * 0.8, y - s * 0.5, x + s * 0.95, y + s * 0.5), colour)
    canvas.circle(x + s * 0.5, y - s * 0.1, s * 0.16, _WHITE)
    canvas.circle(x + s * 0.53, y - s * 0.1, s * 0.08, _INK)


def _rabbit(canvas: Canvas, x: float, y: float, s: float, colour: Rgb) -> None:
    for dx in (-0.22, 0.22):
        canvas.ellipse((x + (dx - 0.13) * s, y - s * 1.3, x + (dx + 0.13) * s, y - s * 0.4), colour)
    canvas.ellipse((x - s * 0.6, y, x + s * 0.6, y + s), colour)
    canvas.circle(x, y - s * 0.2, s * 0.45, colour)
    for dx in (-0.16, 0.16):
        canvas.circle(x + dx * s, y - s * 0.26, s * 0.07, _INK)
    canvas.circle(x, y - s * 0.06, s * 0.07, _INK)


_SHAPES: dict[Thing, Callable[[Canvas, float, float, float, Rgb], None]] = {
    Thing.HOUSE: _house,
    Thing.TREE: _tree,
    Thing.CAR: _car,
    Thing.BOAT: _boat,
    Thing.LIGHTHOUSE: _lighthouse,
    Thing.BALLOONS: _balloons,
    Thing.APPLES: _apples,
    Thing.FLOWER: _flower,
    Thing.UMBRELLA: _umbrella,
    Thing.CUP: _cup,
    Thing.KITE: _kite,
    Thing.CAT: _cat,
    Thing.DOG: _dog,
    Thing.BIRD: _bird,
    Thing.FISH: _fish,
    Thing.RABBIT: _rabbit,
}
