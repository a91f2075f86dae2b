"""What people wear: an outfit, a hat and a tool for every kind."""

from collections.abc import Callable

from ethical_lens.mini.world.canvas import Canvas, Rgb
from ethical_lens.mini.world.palette import COLOURS
from ethical_lens.mini.world.scene import Kind, Person

_WHITE: Rgb = (250, 250, 250)
_DARK: Rgb = (36, 38, 46)
_NAVY: Rgb = (34, 50, 110)
_RED: Rgb = (216, 44, 44)
_GOLD: Rgb = (250, 206, 40)
_STEEL: Rgb = (120, 128, 140)

_OUTFITS: dict[Kind, tuple[Rgb, Rgb]] = {  # torso, sleeves
    Kind.DOCTOR: (_WHITE, _WHITE),
    Kind.NURSE: ((122, 200, 226), (122, 200, 226)),
    Kind.TEACHER: ((150, 96, 54), (150, 96, 54)),
    Kind.POLICE: (_NAVY, _NAVY),
    Kind.CHEF: ((244, 244, 238), (244, 244, 238)),
    Kind.FIREFIGHTER: ((196, 60, 36), (196, 60, 36)),
    Kind.FARMER: ((78, 110, 168), (214, 120, 96)),
    Kind.SCIENTIST: ((236, 240, 250), (236, 240, 250)),
    Kind.BUILDER: ((250, 132, 28), (104, 112, 124)),
    Kind.PILOT: ((30, 36, 66), (30, 36, 66)),
    Kind.JUDGE: ((30, 28, 34), (30, 28, 34)),
    Kind.ARTIST: ((236, 222, 196), (236, 222, 196)),
    Kind.BUSINESS: ((92, 98, 112), (92, 98, 112)),
    Kind.WAITER: (_DARK, _WHITE),
    Kind.CLEANER: ((64, 176, 128), (236, 236, 220)),
    Kind.LEADER: ((52, 62, 92), (52, 62, 92)),
    Kind.CRIMINAL: (_WHITE, _DARK),
}


def has_hat(kind: Kind) -> bool:
    """Whether people of this kind wear something that covers the top of the head."""
    return kind in _HATS


def draw_costume(canvas: Canvas, person: Person, x: float, y: float, r: float, wide: float) -> Rgb:
    """Draw torso and outfit for a head at (x, y) of radius r; the colour of the sleeves."""
    shirt = COLOURS[person.shirt]
    torso, sleeves = _OUTFITS.get(person.kind, (shirt, shirt))
    top = y + 1.1 * r
    canvas.polygon(
        [
            (x - wide * 0.8, top), (x + wide * 0.8, top), (x + wide * 1.05, top + 0.5 * r),
            (x + wide * 1.05, 100), (x - wide * 1.05, 100), (x - wide * 1.05, top + 0.5 * r),
        ],
        torso,
    )  # fmt: skip
    if person.kind in _DETAILS:
        _DETAILS[person.kind](canvas, x, y, r, wide)
    return sleeves


def draw_hat(canvas: Canvas, kind: Kind, x: float, y: float, r: float) -> None:
    """Draw the hat of `kind` on a head at (x, y) of radius r."""
    _HATS[kind](canvas, x, y, r)


def _cross(canvas: Canvas, x: float, y: float, arm: float, colour: Rgb = _RED) -> None:
    thick = arm * 0.36
    canvas.rectangle((x - thick, y - arm, x + thick, y + arm), colour)
    canvas.rectangle((x - arm, y - thick, x + arm, y + thick), colour)


def _doctor(canvas: Canvas, x: float, y: float, r: float, wide: float) -> None:
    canvas.polygon([(x - 0.5 * r, y + r), (x + 0.5 * r, y + r), (x, y + 2.3 * r)], (90, 170, 120))
    for side in (-1, 1):  # stethoscope
        canvas.line(
            [(x + side * 0.55 * r, y + 1.15 * r), (x + side * 0.2 * r, y + 2.4 * r)],
            _DARK,
            0.17 * r,
        )
    canvas.circle(x + 0.1 * r, y + 2.7 * r, 0.34 * r, _STEEL)


def _nurse(canvas: Canvas, x: float, y: float, r: float, wide: float) -> None:
    canvas.polygon([(x - 0.5 * r, y + r), (x + 0.5 * r, y + r), (x, y + 1.7 * r)], _WHITE)
    canvas.rectangle((x + 0.3 * r, y + 2.2 * r, x + wide * 0.85, y + 2.5 * r), _WHITE)


def _teacher(canvas: Canvas, x: float, y: float, r: float, wide: float) -> None:
    canvas.polygon([(x - 0.4 * r, y + r), (x + 0.4 * r, y + r), (x, y + 2.2 * r)], (250, 236, 190))
    canvas.rectangle((x - wide * 0.6, y + 2.5 * r, x + wide * 0.6, y + 4.3 * r), (40, 120, 70))
    canvas.rectangle((x - wide * 0.48, y + 2.65 * r, x + wide * 0.48, y + 2.95 * r), _WHITE)
    canvas.rectangle((x - wide * 0.48, y + 3.2 * r, x + wide * 0.2, y + 3.45 * r), _WHITE)


def _police(canvas: Canvas, x: float, y: float, r: float, wide: float) -> None:
    canvas.polygon(
        [(x - 0.18 * r, y + 1.1 * r), (x + 0.18 * r, y + 1.1 * r), (x, y + 2.4 * r)], _DARK
    )
    canvas.circle(x - wide * 0.5, y + 2.1 * r, 0.36 * r, _GOLD)
    canvas.rectangle((x - wide * 1.05, y + 3.6 * r, x + wide * 1.05, y + 4.0 * r), _DARK)


def _chef(canvas: Canvas, x: float, y: float, r: float, wide: float) -> None:
    canvas.rectangle((x - 0.55 * r, y + 0.98 * r, x + 0.55 * r, y + 1.35 * r), _RED, radius=1)
    for side in (-1, 1):
        for row in (1.8, 2.5, 3.2):
            canvas.circle(x + side * 0.4 * r, y + row * r, 0.17 * r, _DARK)


def _firefighter(canvas: Canvas, x: float, y: float, r: float, wide: float) -> None:
    for row in (2.2, 3.3):
        canvas.rectangle(
            (x - wide * 1.05, y + row * r, x + wide * 1.05, y + (row + 0.45) * r), (246, 236, 70)
        )


def _farmer(canvas: Canvas, x: float, y: float, r: float, wide: float) -> None:
    top = y + 1.1 * r
    canvas.rectangle((x - wide * 0.8, top, x + wide * 0.8, y + 2.2 * r), (214, 120, 96))
    for side in (-1, 1):
        canvas.line(
            [(x + side * 0.6 * r, top), (x + side * 0.6 * r, y + 2.5 * r)], (78, 110, 168), 0.35 * r
        )
    canvas.rectangle((x - 0.5 * r, y + 2.5 * r, x + 0.5 * r, y + 3.2 * r), (110, 144, 204))


def _scientist(canvas: Canvas, x: float, y: float, r: float, wide: float) -> None:
    canvas.polygon([(x - 0.4 * r, y + r), (x + 0.4 * r, y + r), (x, y + 1.9 * r)], (110, 80, 170))
    canvas.polygon(  # a flask
        [
            (x - 0.16 * r, y + 2.2 * r), (x + 0.16 * r, y + 2.2 * r), (x + 0.8 * r, y + 4.0 * r),
            (x - 0.8 * r, y + 4.0 * r),
        ],
        (150, 70, 220),
    )  # fmt: skip


def _builder(canvas: Canvas, x: float, y: float, r: float, wide: float) -> None:
    for side in (-1, 1):
        canvas.rectangle(
            (x + side * 0.62 * r - 0.2 * r, y + 1.1 * r, x + side * 0.62 * r + 0.2 * r, 100),
            (240, 246, 120),
        )
    canvas.rectangle((x - wide * 1.05, y + 2.7 * r, x + wide * 1.05, y + 3.1 * r), (240, 246, 120))


def _pilot(canvas: Canvas, x: float, y: float, r: float, wide: float) -> None:
    canvas.polygon([(x - 0.5 * r, y + r), (x + 0.5 * r, y + r), (x, y + 2.3 * r)], _WHITE)
    canvas.polygon(
        [(x - 0.16 * r, y + 1.2 * r), (x + 0.16 * r, y + 1.2 * r), (x, y + 2.2 * r)], _DARK
    )
    for side in (-1, 1):
        canvas.rectangle(
            (
                x + side * wide * 0.8 - 0.4 * r,
                y + 1.15 * r,
                x + side * wide * 0.8 + 0.4 * r,
                y + 1.5 * r,
            ),
            _GOLD,
        )
    canvas.polygon(  # wings
        [(x - 0.9 * r, y + 2.7 * r), (x + 0.9 * r, y + 2.7 * r), (x, y + 3.2 * r)], _GOLD
    )


def _judge(canvas: Canvas, x: float, y: float, r: float, wide: float) -> None:
    canvas.polygon(
        [
            (x - 0.28 * r, y + 1.1 * r),
            (x + 0.28 * r, y + 1.1 * r),
            (x + 0.5 * r, y + 2.6 * r),
            (x - 0.5 * r, y + 2.6 * r),
        ],
        _WHITE,
    )
    canvas.rectangle((x - wide * 1.05, y + 3.3 * r, x + wide * 1.05, y + 3.65 * r), (170, 30, 60))
    canvas.rectangle(
        (x + wide * 0.3, y + 1.9 * r, x + wide * 1.1, y + 2.5 * r), (140, 84, 40), radius=1
    )
    canvas.line(
        [(x + wide * 0.7, y + 2.4 * r), (x + wide * 0.7, y + 3.6 * r)], (140, 84, 40), 0.2 * r
    )


def _artist(canvas: Canvas, x: float, y: float, r: float, wide: float) -> None:
    canvas.ellipse((x - wide * 0.75, y + 2.0 * r, x + wide * 0.75, y + 3.9 * r), (176, 120, 66))
    for dx, dy, colour in (
        (-0.5, 2.6, (222, 52, 48)), (0.0, 2.4, (248, 212, 58)), (0.5, 2.7, (56, 112, 214)),
        (-0.1, 3.3, (60, 164, 84)),
    ):  # fmt: skip
        canvas.circle(x + dx * r, y + dy * r, 0.25 * r, colour)


def _business(canvas: Canvas, x: float, y: float, r: float, wide: float) -> None:
    canvas.polygon([(x - 0.6 * r, y + r), (x + 0.6 * r, y + r), (x, y + 2.7 * r)], _WHITE)
    canvas.polygon(
        [
            (x - 0.2 * r, y + 1.15 * r),
            (x + 0.2 * r, y + 1.15 * r),
            (x + 0.26 * r, y + 2.2 * r),
            (x, y + 2.6 * r),
            (x - 0.26 * r, y + 2.2 * r),
        ],
        _RED,
    )


def _waiter(canvas: Canvas, x: float, y: float, r: float, wide: float) -> None:
    canvas.polygon([(x - 0.6 * r, y + r), (x + 0.6 * r, y + r), (x, y + 2.7 * r)], _WHITE)
    for side in (-1, 1):
        canvas.polygon(
            [
                (x, y + 1.4 * r),
                (x + side * 0.55 * r, y + 1.1 * r),
                (x + side * 0.55 * r, y + 1.7 * r),
            ],
            _RED,
        )
    canvas.ellipse((x - wide * 1.3, y + 2.9 * r, x + 0.1 * r, y + 3.3 * r), (196, 202, 210))
    canvas.rectangle((x - wide * 0.85, y + 2.2 * r, x - wide * 0.45, y + 3.0 * r), (236, 160, 60))


def _cleaner(canvas: Canvas, x: float, y: float, r: float, wide: float) -> None:
    canvas.rectangle((x - 0.6 * r, y + 1.1 * r, x + 0.6 * r, y + 1.5 * r), (236, 236, 220))
    canvas.line([(x + wide * 1.25, y + 0.6 * r), (x + wide * 1.25, 94)], (176, 120, 66), 0.22 * r)
    canvas.rectangle(
        (x + wide * 0.8, y - 0.3 * r, x + wide * 1.7, y + 0.7 * r), (120, 190, 250), radius=2
    )


def _student(canvas: Canvas, x: float, y: float, r: float, wide: float) -> None:
    for side in (-1, 1):  # a rucksack's straps
        canvas.line(
            [(x + side * 0.62 * r, y + 1.15 * r), (x + side * 0.72 * r, y + 3.4 * r)],
            (70, 50, 40),
            0.32 * r,
        )


def _leader(canvas: Canvas, x: float, y: float, r: float, wide: float) -> None:
    canvas.polygon([(x - 0.5 * r, y + r), (x + 0.5 * r, y + r), (x, y + 1.9 * r)], _WHITE)
    left, right = x - wide * 0.8, x + wide * 0.9
    sash = [(left, y + 1.15 * r), (x - wide * 0.35, y + 1.15 * r), (right, y + 3.4 * r)]
    canvas.polygon([*sash, (right, y + 4.3 * r)], (20, 150, 220))
    canvas.rectangle((x - wide * 0.9, y + 2.9 * r, x + wide * 0.9, 100), (150, 98, 56))  # lectern
    canvas.line([(x - 0.6 * r, y + 2.9 * r), (x - 0.3 * r, y + 2.1 * r)], _DARK, 0.15 * r)
    canvas.circle(x - 0.3 * r, y + 2.05 * r, 0.22 * r, _DARK)


def _criminal(canvas: Canvas, x: float, y: float, r: float, wide: float) -> None:
    for row in (1.2, 2.1, 3.0, 3.9):
        canvas.rectangle(
            (x - wide * 1.05, y + row * r, x + wide * 1.05, y + (row + 0.45) * r), _DARK
        )


_DETAILS: dict[Kind, Callable[[Canvas, float, float, float, float], None]] = {
    Kind.DOCTOR: _doctor,
    Kind.NURSE: _nurse,
    Kind.TEACHER: _teacher,
    Kind.POLICE: _police,
    Kind.CHEF: _chef,
    Kind.FIREFIGHTER: _firefighter,
    Kind.FARMER: _farmer,
    Kind.SCIENTIST: _scientist,
    Kind.BUILDER: _builder,
    Kind.PILOT: _pilot,
    Kind.JUDGE: _judge,
    Kind.ARTIST: _artist,
    Kind.BUSINESS: _business,
    Kind.WAITER: _waiter,
    Kind.CLEANER: _cleaner,
    Kind.STUDENT: _student,
    Kind.LEADER: _leader,
    Kind.CRIMINAL: _criminal,
}


def _crown(canvas: Canvas, x: float, y: float, r: float, height: float, colour: Rgb) -> None:
    """A hat's rounded upper part that sits on the brow."""
    canvas.half(
        (x - 1.12 * r, y - height * r, x + 1.12 * r, y + (height - 0.9) * r), 180, 360, colour
    )


def _nurse_cap(canvas: Canvas, x: float, y: float, r: float) -> None:
    canvas.rectangle(
        (x - 0.85 * r, y - 1.5 * r, x + 0.85 * r, y - 0.55 * r), _WHITE, radius=0.2 * r
    )
    _cross(canvas, x, y - 1.02 * r, 0.38 * r)


def _police_cap(canvas: Canvas, x: float, y: float, r: float) -> None:
    canvas.polygon(
        [
            (x - 1.3 * r, y - 1.4 * r),
            (x + 1.3 * r, y - 1.4 * r),
            (x + 0.95 * r, y - 0.6 * r),
            (x - 0.95 * r, y - 0.6 * r),
        ],
        _NAVY,
    )
    canvas.rectangle((x - 1.0 * r, y - 0.72 * r, x + 1.0 * r, y - 0.46 * r), _DARK)
    canvas.circle(x, y - 1.05 * r, 0.26 * r, _GOLD)


def _toque(canvas: Canvas, x: float, y: float, r: float) -> None:
    for dx in (-0.6, 0.0, 0.6):
        canvas.circle(x + dx * r, y - 1.65 * r, 0.58 * r, _WHITE)
    canvas.rectangle((x - 0.85 * r, y - 1.6 * r, x + 0.85 * r, y - 0.55 * r), _WHITE)
    canvas.rectangle((x - 0.85 * r, y - 0.72 * r, x + 0.85 * r, y - 0.55 * r), (190, 194, 200))


def _fire_helmet(canvas: Canvas, x: float, y: float, r: float) -> None:
    _crown(canvas, x, y, r, 1.55, _RED)
    canvas.rectangle((x - 1.4 * r, y - 0.72 * r, x + 1.4 * r, y - 0.46 * r), _RED, radius=1)
    canvas.polygon(
        [(x - 0.4 * r, y - 1.3 * r), (x + 0.4 * r, y - 1.3 * r), (x, y - 0.6 * r)], _GOLD
    )


def _straw_hat(canvas: Canvas, x: float, y: float, r: float) -> None:
    _crown(canvas, x, y, r * 0.8, 1.75, (226, 190, 96))
    canvas.rectangle((x - 0.9 * r, y - 0.95 * r, x + 0.9 * r, y - 0.7 * r), (150, 70, 40))
    canvas.ellipse((x - 1.75 * r, y - 0.85 * r, x + 1.75 * r, y - 0.4 * r), (226, 190, 96))


def _hard_hat(canvas: Canvas, x: float, y: float, r: float) -> None:
    _crown(canvas, x, y, r, 1.5, (252, 206, 30))
    canvas.rectangle((x - 0.16 * r, y - 1.55 * r, x + 0.16 * r, y - 0.6 * r), (214, 166, 10))
    canvas.rectangle(
        (x - 1.3 * r, y - 0.7 * r, x + 1.3 * r, y - 0.46 * r), (252, 206, 30), radius=1
    )


def _pilot_cap(canvas: Canvas, x: float, y: float, r: float) -> None:
    _crown(canvas, x, y, r, 1.4, _WHITE)
    canvas.rectangle((x - 1.05 * r, y - 0.92 * r, x + 1.05 * r, y - 0.5 * r), (30, 36, 66))
    canvas.polygon(
        [(x - 0.7 * r, y - 0.95 * r), (x + 0.7 * r, y - 0.95 * r), (x, y - 0.5 * r)], _GOLD
    )


def _beret(canvas: Canvas, x: float, y: float, r: float) -> None:
    canvas.ellipse((x - 1.35 * r, y - 1.5 * r, x + 1.05 * r, y - 0.5 * r), (130, 50, 160))
    canvas.circle(x - 0.1 * r, y - 1.5 * r, 0.16 * r, (130, 50, 160))


def _mortarboard(canvas: Canvas, x: float, y: float, r: float) -> None:
    canvas.rectangle((x - 0.85 * r, y - 1.05 * r, x + 0.85 * r, y - 0.5 * r), (38, 40, 52))
    canvas.polygon(
        [
            (x - 1.45 * r, y - 1.1 * r),
            (x, y - 1.6 * r),
            (x + 1.45 * r, y - 1.1 * r),
            (x, y - 0.65 * r),
        ],
        (38, 40, 52),
    )
    canvas.line([(x + 1.1 * r, y - 1.1 * r), (x + 1.1 * r, y - 0.2 * r)], _GOLD, 0.18 * r)


def _beanie(canvas: Canvas, x: float, y: float, r: float) -> None:
    _crown(canvas, x, y, r, 1.35, (52, 54, 60))
    canvas.rectangle(
        (x - 1.1 * r, y - 0.85 * r, x + 1.1 * r, y - 0.46 * r), (88, 92, 100), radius=1
    )


_HATS: dict[Kind, Callable[[Canvas, float, float, float], None]] = {
    Kind.NURSE: _nurse_cap,
    Kind.POLICE: _police_cap,
    Kind.CHEF: _toque,
    Kind.FIREFIGHTER: _fire_helmet,
    Kind.FARMER: _straw_hat,
    Kind.BUILDER: _hard_hat,
    Kind.PILOT: _pilot_cap,
    Kind.ARTIST: _beret,
    Kind.STUDENT: _mortarboard,
    Kind.CRIMINAL: _beanie,
}
