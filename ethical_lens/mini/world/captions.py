"""Captions of scenes in natural English, as one types them into an image generator.

Attributes are often left unsaid, so that models trained on captions and drawings learn what the
world leaves to them: its biases. What is unsafe, and who is of name, is always said.
"""

import random
import re
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from typing import Final

from ethical_lens.mini.world import scene_words, words
from ethical_lens.mini.world import templates as sentences
from ethical_lens.mini.world.describe import (
    Sort,
    among,
    describe,
    inflected,
    pick,
    with_article,
)
from ethical_lens.mini.world.scene import (
    GENDERS,
    Accessory,
    Colour,
    Figure,
    Framing,
    Pose,
    Scene,
    Style,
)
from ethical_lens.mini.world.templates import HELD_OUT, TRAINING, Templates
from ethical_lens.mini.world.who import attributes_said, company, moves
from ethical_lens.mini.world.words import Nouns

_ARTICLES: Final = re.compile(r"\b(?:an?|the) (?=\w)")
_TRIES: Final = 12


def captions(
    scene: Scene,
    rng: random.Random,
    *,
    count: int = 1,
    held_out: bool = False,
    full: bool = False,
    attributes: bool = False,
) -> list[str]:
    """`count` captions of `scene`, of different wording as far as a few tries find it.

    `held_out` uses sentences that are never used without it, over the same words. `full` says
    all that can be seen, `attributes` at least gender, group and life stage of everybody.
    Deterministic by `scene` and the state of `rng`.
    """
    templates = HELD_OUT if held_out else TRAINING
    found: list[str] = []
    for _ in range(count):
        for _ in range(_TRIES):
            text = _caption(scene, rng, templates, full, attributes)
            if text not in found:
                break
        found.append(text)
    return found


def _caption(
    scene: Scene, rng: random.Random, templates: Templates, full: bool, attributes: bool
) -> str:
    tagged = templates is TRAINING and len(scene.people) < 2 and not (full or attributes)
    if tagged and rng.random() < 0.06:
        return _cased(_tags(scene, rng), rng)
    body, framed = _body(scene, rng, templates, full, attributes)
    style = scene.style if full or rng.random() < 0.85 else Style.FLAT
    text = _framed(body, scene, style, rng, templates) if framed else _styled(body, style, rng)
    if templates is TRAINING and rng.random() < 0.07:
        text = _ARTICLES.sub("", text)
    return _cased(text, rng)


def _framed(body: str, scene: Scene, style: Style, rng: random.Random, templates: Templates) -> str:
    """`body` within a sentence that also says the framing of a portrait and the style."""
    portrait = scene.framing is Framing.PORTRAIT
    if rng.random() < templates.plain * (0.4 if portrait else 1):
        return _styled(body, style, rng)
    frame = pick(rng, templates.frames)
    picture = pick(rng, scene_words.PICTURES[scene.framing])
    if scene.pattern and rng.random() < 0.5:
        picture = f"abstract {picture}"
    if style is not Style.FLAT and "picture}" in frame and rng.random() < 0.6:
        picture = f"{pick(rng, scene_words.STYLES[style].adjectives)} {picture}"
    else:
        body = _styled(body, style, rng)
    return frame.format(body=body, picture=picture, a_picture=with_article(picture))


def _styled(body: str, style: Style, rng: random.Random) -> str:
    if style is Style.FLAT:
        return body
    return f"{body} {pick(rng, scene_words.STYLES[style].phrases)}"


def _cased(text: str, rng: random.Random) -> str:
    chance = rng.random()
    if chance < 0.3:
        return text.lower()
    if chance < 0.45:
        text = text[:1].upper() + text[1:]
        return f"{text}." if chance < 0.34 else text
    return text


# ----------------------------------------------------------------------------------- the body


def _body(
    scene: Scene, rng: random.Random, templates: Templates, full: bool, attributes: bool
) -> tuple[str, bool]:
    """All but frame and style, and whether a frame may go around it."""
    if scene.pattern is not None:
        return _pattern(scene, rng), True
    who = doing = wearing = where = ""
    beside: list[str] = []
    stand_ins = sorted(scene.stand_ins)
    if scene.people:
        who, doing, wearing = company(scene, rng, templates, full=full, attributes=attributes)
        if scene.thing and (full or rng.random() < 0.8):
            beside.append(f"{pick(rng, scene_words.BESIDE)} {_thing(scene, rng, full)}")
    elif scene.thing:
        who = _thing(scene, rng, full)
    elif stand_ins:
        table = scene_words.STAND_INS[stand_ins.pop(0)]
        who = pick(rng, table.acts if table.acts and rng.random() < 0.15 else table.alone)
    else:
        return _empty(scene, rng), True
    if len(stand_ins) == 1 and rng.random() < 0.25:
        who = f"{pick(rng, scene_words.STAND_INS[stand_ins.pop()].alone)} with {who}"
    beside += [pick(rng, scene_words.STAND_INS[stand_in].with_others) for stand_in in stand_ins]
    if scene.place and (full or rng.random() < 0.7):
        where = pick(rng, scene_words.PLACES[scene.place].where)
    first = bool(where) and rng.random() < 0.08
    order = among(rng, templates.where_first) if first else pick(rng, templates.orders)
    parts = {"doing": doing, "wearing": wearing, "where": where, "beside": " ".join(beside)}
    body = " ".join(order.format(who=who, **parts).split()).rstrip(",")
    if not (full or scene.concepts) and scene.style is Style.FLAT and rng.random() < 0.05:
        body = f"{body}, {pick(rng, scene_words.CALM[bool(scene.people)])}"
    return body, not first


def _thing(scene: Scene, rng: random.Random, full: bool) -> str:
    assert scene.thing is not None
    noun = pick(rng, scene_words.THINGS[scene.thing])
    if _shows_colour(scene) and (full or rng.random() < 0.6):
        noun = f"{scene.colour} {noun}"
    if scene.thing in scene_words.SEVERAL:
        return f"{pick(rng, scene_words.SEVERAL_WORDS)} {noun}".lstrip()
    return f"the {noun}" if rng.random() < 0.06 else with_article(noun)


def _shows_colour(scene: Scene) -> bool:
    return scene.style is not Style.SEPIA and scene.thing not in scene_words.COLOURLESS


def _pattern(scene: Scene, rng: random.Random) -> str:
    assert scene.pattern is not None
    noun = pick(rng, scene_words.PATTERNS[scene.pattern])
    coloured = f"{scene.colour} {noun}" if _shows_colour(scene) else noun
    return pick(rng, scene_words.PATTERN_FORMS).format(coloured)


def _empty(scene: Scene, rng: random.Random) -> str:
    assert scene.place is not None
    name = pick(rng, scene_words.PLACES[scene.place].names)
    if rng.random() < 0.4:
        name = f"empty {name}"
    return name if name.endswith(scene_words.PLURAL_PLACES) else with_article(name)


def _tags(scene: Scene, rng: random.Random) -> str:
    """ "doctor, hospital, female, Asian, elderly": of one person, or of a scene without people."""
    first, *rest = _tag_list(scene, rng)
    rng.shuffle(rest)
    return ", ".join((first, *rest))


def _tag_list(scene: Scene, rng: random.Random) -> Iterator[str]:
    for person in scene.people:
        minor = person.stage.under_twenty
        yield person.figure or describe(Sort(person.kind, minor=minor), 1, rng)
        if person.nude:
            yield pick(rng, words.NUDE)
        if not person.figure:
            yield from attributes_said(person, rng)
        if moves(person) and person.pose is not Pose.STANDING and rng.random() < 0.4:
            yield pick(rng, scene_words.POSES[person.pose])
        if moves(person) and person.accessory is not Accessory.NONE and rng.random() < 0.4:
            yield person.accessory
    if scene.pattern:
        yield pick(rng, scene_words.PATTERNS[scene.pattern])
    if scene.thing:
        yield pick(rng, scene_words.THINGS[scene.thing])
    if (scene.pattern or scene.thing) and _shows_colour(scene) and not scene.people:
        yield scene.colour
    for stand_in in sorted(scene.stand_ins):
        yield _ARTICLES.sub("", pick(rng, scene_words.STAND_INS[stand_in].alone))
    alone = not (scene.people or scene.thing or scene.stand_ins)
    if scene.place and (alone or rng.random() < 0.7):
        yield pick(rng, scene_words.PLACES[scene.place].names)
    if scene.style is not Style.FLAT and rng.random() < 0.85:
        yield pick(rng, scene_words.STYLES[scene.style].adjectives)


# ---------------------------------------------------------------------------- what can be said


def _strings(value: object) -> Iterator[str]:
    """All strings within tables of words; nouns also in the plural."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Nouns):
        for noun in (*value.either, *value.male, *value.female):
            yield inflected(noun, False)
            yield inflected(noun, True)
    elif isinstance(value, Mapping):
        yield from _strings(tuple(value.values()))
    elif is_dataclass(value):
        for field in fields(value):
            yield from _strings(getattr(value, field.name))
    elif isinstance(value, tuple):
        for one in value:
            yield from _strings(one)


_TABLES: Final = [
    value
    for module in (words, scene_words, sentences)
    for name, value in vars(module).items()
    if name.isupper()
]
CAPTION_WORDS: Final = frozenset(
    word
    for text in (
        "a an the and abstract empty with his her their",
        *_strings((*_TABLES, *Colour, *GENDERS, *Figure)),
    )
    for word in re.findall(r"[a-z]+", re.sub(r"{\w*}", " ", text).lower())
)
"""Every word that captions are made of, in lower case; hyphens part words."""
