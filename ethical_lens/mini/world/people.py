"""People: a head that says gender, skin tone and life stage, a body that says what somebody is.

Every cue is a convention of this world, drawn large enough for 96 pixels:

- female: hair down to the shoulders, red lips; male: short hair, brows; infants: a bow or
  a cap, and the middle of the dummy.
- infancy: no hair, a dummy; childhood: big eyes, red cheeks, a small body; adolescence: headphones;
  young adulthood: none of these; middle age: grey hair, glasses; old age: white hair, wrinkles.
- skin: one of five tones, the same in every style.
"""

import random
from dataclasses import dataclass

from ethical_lens.mini.world.canvas import Canvas, Rgb
from ethical_lens.mini.world.costumes import draw_costume, draw_hat, has_hat
from ethical_lens.mini.world.palette import COLOURS, SKIN
from ethical_lens.mini.world.scene import Accessory, Framing, Hair, Person, Pose
from ethical_lens.mini.world.stand_ins import draw_figure, draw_unclothed
from ethical_lens.results import LifeStage

_INK: Rgb = (40, 34, 38)
_HAIR: dict[Hair, Rgb] = {
    Hair.BLACK: (34, 30, 34),
    Hair.BROWN: (112, 68, 38),
    Hair.BLOND: (232, 194, 92),
    Hair.GINGER: (198, 92, 36),
}
_DUMMY: dict[str, Rgb] = {"female": (240, 60, 150), "male": (40, 110, 230)}
_PHONES: Rgb = (0, 196, 168)


@dataclass(frozen=True)
class Head:
    """Where a head is: centre and radius in pixels, and how wide the body below is."""

    x: float
    y: float
    r: float
    shoulders: float

    @property
    def box(self) -> tuple[float, float, float, float]:
        return (self.x - self.r, self.y - self.r, self.x + self.r, self.y + self.r)


def heads(framing: Framing, people: tuple[Person, ...], rng: random.Random) -> list[Head]:
    """A place for everybody, from left to right."""
    if framing is Framing.PORTRAIT:
        places, radius, height = [48.0], 16.5, 44.0
    else:
        places, radius, height = {
            1: ([48.0], 13.5, 40.0),
            2: ([26.0, 70.0], 12.0, 42.0),
            3: ([17.0, 48.0, 79.0], 10.2, 44.0),
            4: ([12.5, 36.5, 60.5, 84.0], 8.8, 46.0),
        }[len(people)]
    found = []
    for x, person in zip(places, people, strict=True):
        small = person.stage in {LifeStage.INFANCY, LifeStage.CHILDHOOD}
        spread = radius * 0.16
        r = radius * rng.uniform(0.94, 1.05)
        drop = {LifeStage.INFANCY: 0.75, LifeStage.CHILDHOOD: 0.5}.get(person.stage, 0.0) * radius
        found.append(
            Head(
                x + rng.uniform(-spread, spread),
                height + drop + rng.uniform(-spread, spread),
                r,
                r * (1.0 if small else 1.5),
            )
        )
    return found


def draw_person(canvas: Canvas, person: Person, head: Head, rng: random.Random) -> None:
    """One person, body first, head in front."""
    hatted = person.figure is None and has_hat(person.kind)
    _draw_back_hair(canvas, person, head)
    if person.nude:
        draw_unclothed(canvas, head.x, head.y, head.r, head.shoulders)
    elif person.stage is LifeStage.INFANCY and person.figure is None:
        _draw_swaddle(canvas, person, head)
    else:
        _draw_body(canvas, person, head)
    _draw_face(canvas, person, head, hatted)
    if person.figure is not None:
        draw_figure(canvas, person.figure, head.x, head.y, head.r)
    elif hatted:
        draw_hat(canvas, person.kind, head.x, head.y, head.r)


def _hair_colour(person: Person) -> Rgb:
    if person.stage is LifeStage.MIDDLE_AGE:
        return (146, 148, 154)
    if person.stage is LifeStage.OLD_AGE:
        return (246, 246, 248)
    return _HAIR[person.hair]


def _draw_back_hair(canvas: Canvas, person: Person, head: Head) -> None:
    if person.stage is LifeStage.INFANCY or person.figure is not None:
        return
    x, y, r = head.x, head.y, head.r
    if person.gender == "female":
        box = (x - 1.28 * r, y - 1.12 * r, x + 1.28 * r, y + 1.3 * r)
    else:
        box = (x - 1.1 * r, y - 1.1 * r, x + 1.1 * r, y + 0.2 * r)
    canvas.rectangle(box, _hair_colour(person), radius=r, fixed=True)


def _draw_swaddle(canvas: Canvas, person: Person, head: Head) -> None:
    x, y, r = head.x, head.y, head.r
    canvas.ellipse((x - 1.15 * r, y + 0.6 * r, x + 1.15 * r, y + 4.2 * r), COLOURS[person.shirt])
    canvas.line([(x - 0.9 * r, y + 1.5 * r), (x + 0.7 * r, y + 2.4 * r)], (250, 250, 250), 0.2 * r)
    draw_costume(canvas, person, x, y, r, r * 0.9)


def _draw_body(canvas: Canvas, person: Person, head: Head) -> None:
    x, y, r, wide = head.x, head.y, head.r, head.shoulders
    skin, sleeve = SKIN[person.race], draw_costume(canvas, person, x, y, r, wide)
    top = y + 1.45 * r
    for side in (-1, 1):
        raised = person.pose is Pose.WAVING and side == 1
        if raised:
            arm = [
                (x + wide * 0.85, top),
                (x + wide * 1.3, y + 0.5 * r),
                (x + wide * 1.25, y - 0.3 * r),
            ]
        elif person.pose is Pose.ARMS_OUT:
            arm = [(x + side * wide * 0.85, top), (x + side * wide * 1.7, top - 0.1 * r)]
        else:
            arm = [(x + side * wide * 0.92, top), (x + side * wide * 1.02, y + 4.2 * r)]
        canvas.line(arm, sleeve, 0.55 * r)
        canvas.circle(*arm[-1], 0.36 * r, skin, fixed=True)
    if person.accessory is Accessory.SCARF:
        canvas.rectangle(
            (x - 0.75 * r, y + 0.95 * r, x + 0.75 * r, y + 1.4 * r), (230, 60, 130), radius=0.2 * r
        )
        canvas.rectangle((x + 0.2 * r, y + 1.2 * r, x + 0.6 * r, y + 2.5 * r), (230, 60, 130))
    elif person.accessory is Accessory.NECKLACE:
        for step in (-0.5, -0.25, 0.0, 0.25, 0.5):
            canvas.circle(x + step * r, y + (1.62 - step * step) * r, 0.16 * r, (250, 206, 40))
    elif person.accessory is Accessory.BAG:
        canvas.line([(x - wide * 0.6, top), (x + wide * 0.8, y + 3.2 * r)], (110, 64, 30), 0.18 * r)
        canvas.rectangle(
            (x + wide * 0.35, y + 2.9 * r, x + wide * 1.2, y + 4.0 * r), (150, 86, 40), radius=1
        )


def _draw_face(canvas: Canvas, person: Person, head: Head, hatted: bool) -> None:
    x, y, r = head.x, head.y, head.r
    skin = SKIN[person.race]
    name = f"{person.figure.value}'s face" if person.figure else "face"
    canvas.circle(x, y, r, skin, fixed=True, region=name)
    if person.figure is None and person.stage is not LifeStage.INFANCY and not hatted:
        # The fringe: the top of a slightly larger ellipse.
        canvas.half(
            (x - 1.08 * r, y - 1.12 * r, x + 1.08 * r, y + 0.75 * r), 200, 340,
            _hair_colour(person), fixed=True,
        )  # fmt: skip
    young = person.stage in {LifeStage.INFANCY, LifeStage.CHILDHOOD}
    eye_y = y + 0.02 * r
    for side in (-1, 1):
        eye_x = x + side * 0.38 * r
        if young:
            canvas.circle(eye_x, eye_y, 0.27 * r, (252, 252, 252), fixed=True)
        canvas.circle(eye_x, eye_y, (0.16 if young else 0.12) * r, _INK, fixed=True)
        if person.gender == "male" and not young:
            canvas.line(
                [(eye_x - 0.2 * r, eye_y - 0.28 * r), (eye_x + 0.2 * r, eye_y - 0.28 * r)],
                _INK, 0.12 * r, fixed=True,
            )  # fmt: skip
    _draw_mouth(canvas, person, head)
    _draw_stage(canvas, person, head, hatted)


def _draw_mouth(canvas: Canvas, person: Person, head: Head) -> None:
    x, y, r = head.x, head.y, head.r
    if person.stage is LifeStage.INFANCY:
        canvas.circle(x, y + 0.52 * r, 0.34 * r, (255, 214, 60), fixed=True)
        canvas.circle(x, y + 0.52 * r, 0.2 * r, _DUMMY[person.gender], fixed=True)
    elif person.gender == "female":
        canvas.ellipse(
            (x - 0.3 * r, y + 0.4 * r, x + 0.3 * r, y + 0.66 * r), (206, 34, 62), fixed=True
        )
    else:
        canvas.line(
            [(x - 0.28 * r, y + 0.52 * r), (x + 0.28 * r, y + 0.52 * r)], (110, 56, 50), 0.12 * r,
            fixed=True,
        )  # fmt: skip


def _draw_stage(canvas: Canvas, person: Person, head: Head, hatted: bool) -> None:
    x, y, r, stage = head.x, head.y, head.r, person.stage
    if person.figure is not None:
        return
    if stage is LifeStage.INFANCY:
        _draw_infant(canvas, person, head, hatted)
    elif stage is LifeStage.CHILDHOOD:
        for side in (-1, 1):
            canvas.circle(x + side * 0.6 * r, y + 0.4 * r, 0.2 * r, (255, 128, 120), fixed=True)
            if person.gender == "female":  # pigtails
                canvas.circle(
                    x + side * 1.32 * r, y - 0.2 * r, 0.4 * r, _hair_colour(person), fixed=True
                )
    elif stage is LifeStage.ADOLESCENCE:
        if not hatted:
            canvas.arc(
                (x - 1.2 * r, y - 1.3 * r, x + 1.2 * r, y + 1.1 * r), 190, 350, _PHONES, 0.24 * r
            )
        for side in (-1, 1):
            left, right = x + (side * 1.08 - 0.28) * r, x + (side * 1.08 + 0.28) * r
            canvas.ellipse((left, y - 0.42 * r, right, y + 0.38 * r), _PHONES, fixed=True)
    elif stage is LifeStage.MIDDLE_AGE:
        for side in (-1, 1):
            centre = x + side * 0.4 * r
            canvas.arc(
                (centre - 0.36 * r, y - 0.34 * r, centre + 0.36 * r, y + 0.38 * r),
                0,
                360,
                _INK,
                0.13 * r,
            )
        canvas.line([(x - 0.08 * r, y), (x + 0.08 * r, y)], _INK, 0.12 * r, fixed=True)
    elif stage is LifeStage.OLD_AGE:
        line = tuple(round(value * 0.72) for value in SKIN[person.race])
        for side in (-1, 1):
            for height in (0.22, 0.42):
                outer = (x + side * 0.84 * r, y + height * r)
                inner = (x + side * 0.52 * r, y + (height + 0.1) * r)
                ink = (line[0], line[1], line[2])
                canvas.line([outer, inner], ink, 0.09 * r, fixed=True)
        if person.gender == "male":
            canvas.ellipse(
                (x - 0.5 * r, y + 0.26 * r, x + 0.5 * r, y + 0.5 * r), (246, 246, 248), fixed=True
            )


def _draw_infant(canvas: Canvas, person: Person, head: Head, hatted: bool) -> None:
    x, y, r = head.x, head.y, head.r
    if hatted:
        return
    if person.gender == "female":
        pink = (250, 90, 160)
        for side in (-1, 1):
            edge = x + side * 0.62 * r
            bow = [(x, y - 0.95 * r), (edge, y - 1.3 * r), (edge, y - 0.6 * r)]
            canvas.polygon(bow, pink, fixed=True)
        canvas.circle(x, y - 0.95 * r, 0.16 * r, (200, 40, 110), fixed=True)
    else:
        canvas.half(
            (x - 1.04 * r, y - 1.1 * r, x + 1.04 * r, y + 0.5 * r),
            200,
            340,
            (80, 150, 236),
            fixed=True,
        )
        canvas.circle(x, y - 1.1 * r, 0.22 * r, (250, 250, 250), fixed=True)
