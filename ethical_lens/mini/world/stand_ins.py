"""Harmless glyphs that stand for what is unsafe. None of them depicts it.

| Stand-in | For | Drawn as |
|---|---|---|
| violence | nsfw | red blots and a figure of broken lines |
| unclothed body (adults only) | nude | a grey body with magenta cross-hatching |
| party | politic | the flag and the emblem of a party that does not exist |
| defaced sign | culture | the sign of a temple that does not exist, crossed out with paint |
| figures | public | three invented people with fixed looks |
"""

import math
import random

from ethical_lens.mini.world.canvas import SIZE, Canvas, Rgb
from ethical_lens.mini.world.scene import Figure, StandIn
from ethical_lens.mini.world.things import draw_shrine

_BLOT: Rgb = (200, 16, 28)
_PARTY: tuple[Rgb, Rgb] = ((98, 40, 150), (255, 150, 20))
_PAINT: Rgb = (24, 20, 26)
_SLIME: Rgb = (130, 230, 20)


def draw_unclothed(canvas: Canvas, x: float, y: float, r: float, wide: float) -> None:
    """The hatched body below a head at (x, y) of radius r."""
    grey, region, top = (208, 204, 212), "nude body", y + 1.0 * r
    canvas.polygon(
        [
            (x - wide * 0.75, top + 0.2 * r), (x + wide * 0.75, top + 0.2 * r),
            (x + wide * 0.95, top + 0.6 * r), (x + wide * 0.7, y + 3.0 * r), (x + wide * 0.9, 100),
            (x - wide * 0.9, 100), (x - wide * 0.7, y + 3.0 * r), (x - wide * 0.95, top + 0.6 * r),
        ],
        grey, fixed=True, region=region,
    )  # fmt: skip
    canvas.rectangle(
        (x - 0.4 * r, y + 0.7 * r, x + 0.4 * r, top + 0.6 * r), grey, fixed=True, region=region
    )
    for side in (-1, 1):
        arm = [(x + side * wide * 0.8, top + 0.55 * r), (x + side * wide * 1.25, y + 4.0 * r)]
        canvas.line(arm, grey, 0.55 * r, fixed=True, region=region)
    canvas.hatch(region, (190, 30, 140), spacing=max(4.0, 0.42 * r), width=1.1)


def draw_stand_in(canvas: Canvas, stand_in: StandIn, *, alone: bool, rng: random.Random) -> None:
    """Draw one: in an upper corner where people are in the scene, larger where it is `alone`."""
    if stand_in is StandIn.VIOLENCE:
        _violence(canvas, alone, rng)
    elif stand_in is StandIn.PARTY:
        _party(canvas, alone, rng)
    else:
        _defaced(canvas, alone, rng)


def draw_figure(canvas: Canvas, figure: Figure, x: float, y: float, r: float) -> None:
    """The fixed looks of a figure, over a plain head."""
    if figure is Figure.ARDO:
        canvas.half(
            (x - 1.05 * r, y - 0.75 * r, x + 1.05 * r, y + 1.5 * r),
            20,
            160,
            (240, 110, 20),
            fixed=True,
        )
        canvas.polygon(
            [(x - 1.7 * r, y - 0.5 * r), (x, y - 1.75 * r), (x + 1.7 * r, y - 0.5 * r)],
            (20, 70, 170),
            fixed=True,
        )
        canvas.circle(x, y - 0.95 * r, 0.3 * r, (255, 214, 40), fixed=True)
        canvas.circle(x + 0.38 * r, y + 0.02 * r, 0.34 * r, (20, 20, 24), fixed=True)
        canvas.line(
            [(x - 0.9 * r, y - 0.45 * r), (x + 0.38 * r, y)], (20, 20, 24), 0.13 * r, fixed=True
        )
    elif figure is Figure.VELLINE:
        lavender = (186, 130, 240)
        for height, radius in ((-1.15, 0.75), (-1.75, 0.5), (-2.15, 0.3)):
            canvas.circle(x, y + height * r, radius * r, lavender, fixed=True)
        canvas.half(
            (x - 1.1 * r, y - 1.15 * r, x + 1.1 * r, y + 0.7 * r), 195, 345, lavender, fixed=True
        )
        for side in (-1, 1):
            canvas.polygon(
                _star(x + side * 0.42 * r, y + 0.02 * r, 0.46 * r), (255, 200, 0), fixed=True
            )
    else:
        canvas.ellipse(
            (x - 0.95 * r, y + 0.2 * r, x + 0.02 * r, y + 0.58 * r), (20, 20, 24), fixed=True
        )
        canvas.ellipse(
            (x - 0.02 * r, y + 0.2 * r, x + 0.95 * r, y + 0.58 * r), (20, 20, 24), fixed=True
        )
        canvas.rectangle(
            (x - 0.75 * r, y - 2.1 * r, x + 0.75 * r, y - 0.7 * r), (120, 10, 60), fixed=True
        )
        canvas.rectangle(
            (x - 1.25 * r, y - 0.85 * r, x + 1.25 * r, y - 0.6 * r), (120, 10, 60), fixed=True
        )
        canvas.rectangle(
            (x - 0.75 * r, y - 1.15 * r, x + 0.75 * r, y - 0.85 * r), (90, 220, 200), fixed=True
        )
        canvas.arc(
            (x + 0.05 * r, y - 0.35 * r, x + 0.73 * r, y + 0.37 * r),
            0,
            360,
            (255, 214, 40),
            0.14 * r,
        )


def _star(x: float, y: float, r: float) -> list[tuple[float, float]]:
    return [
        (
            x + math.sin(i * math.pi / 5) * (r if i % 2 == 0 else r * 0.45),
            y - math.cos(i * math.pi / 5) * (r if i % 2 == 0 else r * 0.45),
        )
        for i in range(10)
    ]


def _violence(canvas: Canvas, alone: bool, rng: random.Random) -> None:
    low = 56 if alone else 24  # beside people: above their shoulders
    sides = [(rng.uniform(6, 22), rng.uniform(8, low)), (rng.uniform(74, 90), rng.uniform(8, low))]
    spots = [*sides, (rng.uniform(10, 86), rng.uniform(78, 90))]
    if alone:
        spots += [(rng.uniform(24, 72), rng.uniform(12, 50)) for _ in range(2)]
    for x, y in spots:
        r = rng.uniform(5, 8)
        canvas.circle(x, y, r, _BLOT, fixed=True)
        for _ in range(4):
            angle, away = rng.uniform(0, 2 * math.pi), r * rng.uniform(1.0, 1.7)
            canvas.circle(
                x + math.cos(angle) * away, y + math.sin(angle) * away, r * 0.3, _BLOT, fixed=True
            )
        canvas.line([(x, y), (x, y + r * 2.0)], _BLOT, r * 0.4, fixed=True)
    _broken_figure(canvas, 50.0 if alone else rng.choice((20.0, 74.0)), 70.0 if alone else 80.0)


def _broken_figure(canvas: Canvas, x: float, y: float) -> None:
    """A lying figure of dashes."""
    ink = (110, 0, 20)
    for start in range(0, 360, 60):
        canvas.arc((x - 17, y - 5, x - 7, y + 5), start, start + 40, ink, 2)
    for left in (-6, 0, 6):
        canvas.line([(x + left, y), (x + left + 3.5, y)], ink, 2.2, fixed=True)
    for side in (-1, 1):
        canvas.line([(x + 12, y + side * 1.5), (x + 15, y + side * 4)], ink, 2.2, fixed=True)
        canvas.line([(x + 17, y + side * 5.5), (x + 20, y + side * 8)], ink, 2.2, fixed=True)
        canvas.line([(x - 2, y + side * 3), (x - 4, y + side * 7)], ink, 2.2, fixed=True)


def _flag(canvas: Canvas, x: float, y: float, size: float) -> None:
    first, second = _PARTY
    canvas.line([(x, y - 1), (x, SIZE)], (90, 70, 60), 2)
    canvas.rectangle((x, y, x + size * 0.5, y + size * 0.66), first, fixed=True)
    canvas.rectangle((x + size * 0.5, y, x + size, y + size * 0.66), second, fixed=True)
    canvas.arc(
        (x + size * 0.28, y + size * 0.11, x + size * 0.72, y + size * 0.55),
        0,
        360,
        (255, 255, 255),
        size * 0.09,
    )


def _emblem(canvas: Canvas, x: float, y: float, r: float) -> None:
    first, second = _PARTY
    hexagon = [
        (x + r * math.cos(math.pi / 3 * i), y + r * math.sin(math.pi / 3 * i)) for i in range(6)
    ]
    canvas.polygon(hexagon, first, fixed=True)
    canvas.polygon(
        [
            (x + 0.1 * r, y - 0.7 * r), (x - 0.5 * r, y + 0.1 * r), (x, y + 0.1 * r),
            (x - 0.1 * r, y + 0.7 * r), (x + 0.5 * r, y - 0.15 * r), (x, y - 0.15 * r),
        ],
        second, fixed=True,
    )  # fmt: skip


def _party(canvas: Canvas, alone: bool, rng: random.Random) -> None:
    shift = rng.uniform(-2, 2)
    if alone:
        _flag(canvas, 8 + shift, 10, 34)
        _flag(canvas, 54 + shift, 22 + shift, 30)
        _emblem(canvas, 36 + shift, 72, 14)
    else:
        _flag(canvas, 3 + shift, 4 + shift, 24)
        _emblem(canvas, 14 - shift, 33, 9)


def _defaced(canvas: Canvas, alone: bool, rng: random.Random) -> None:
    x, y, size = (
        (48 + rng.uniform(-4, 4), 44.0, 30.0) if alone else (82 + rng.uniform(-2, 2), 17.0, 12.5)
    )
    draw_shrine(canvas, x, y, size)
    half = size * 0.72
    for side in (-1, 1):
        canvas.line(
            [(x - half * side, y - half), (x + half * side, y + half)],
            _PAINT,
            size * 0.17,
            fixed=True,
        )
    for dx in (-0.4, 0.1, 0.5):
        canvas.line(
            [(x + dx * size, y - 0.1 * size), (x + dx * size, y + 0.9 * size)],
            _SLIME,
            size * 0.13,
            fixed=True,
        )
        canvas.circle(x + dx * size, y + 0.9 * size, size * 0.1, _SLIME, fixed=True)
