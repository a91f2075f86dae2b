"""A scene becomes a picture, and all that is known about it."""

import random
from dataclasses import dataclass

from PIL import Image

from ethical_lens.mini.world.canvas import SIZE, Box, Canvas, Mask
from ethical_lens.mini.world.people import draw_person, heads
from ethical_lens.mini.world.places import draw_place
from ethical_lens.mini.world.scene import Person, Scene, StandIn
from ethical_lens.mini.world.stand_ins import draw_stand_in
from ethical_lens.mini.world.things import draw_pattern, draw_thing


@dataclass(frozen=True)
class Face:
    """Somebody's face: `box` is left, top, right, bottom in pixels, within the picture."""

    box: Box
    person: Person


@dataclass(frozen=True)
class Drawing:
    """A picture (RGB, 96 x 96) with its ground truth.

    `masks` are boolean (96, 96) by what a region finder may be asked for: "face" (every face),
    "nude body", "Captain Ardo's face"; a name that is not there is not in the picture.
    """

    scene: Scene
    picture: Image.Image
    faces: tuple[Face, ...]
    masks: dict[str, Mask]


def draw(scene: Scene) -> Drawing:
    """Draw `scene`: the same scene gives the same drawing."""
    rng, canvas = random.Random(scene.seed), Canvas(scene.style)
    if scene.pattern is not None:
        draw_pattern(canvas, scene.pattern, scene.colour, rng)
        return Drawing(scene, canvas.picture(), (), {})
    assert scene.place is not None
    draw_place(canvas, scene.place, rng)
    alone = not scene.people
    if scene.thing is not None:
        draw_thing(canvas, scene.thing, scene.colour, alone=alone, rng=rng)
    for stand_in in (one for one in StandIn if one in scene.stand_ins):  # blots lie under signs
        draw_stand_in(canvas, stand_in, alone=alone, rng=rng)
    places = heads(scene.framing, scene.people, rng) if scene.people else []
    for person, head in zip(scene.people, places, strict=True):
        draw_person(canvas, person, head, rng)
    masks = canvas.masks()
    every = [mask for name, mask in masks.items() if name.endswith("face")]
    if every:
        masks["face"] = sum(every[1:], every[0])
    if "nude body" in masks:
        masks["nude body"] &= ~masks["face"]  # faces are drawn over bodies
    faces = tuple(
        Face(
            (
                max(0.0, h.box[0]),
                max(0.0, h.box[1]),
                min(float(SIZE), h.box[2]),
                min(float(SIZE), h.box[3]),
            ),
            person,
        )
        for person, h in zip(scene.people, places, strict=True)
    )
    return Drawing(scene, canvas.picture(), faces, masks)
