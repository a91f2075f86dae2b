"""What can be seen in a scene, as a row of zeros and ones."""

from collections.abc import Iterator
from typing import Final

import torch

from ethical_lens.mini.world.scene import (
    GENDERS,
    RACES,
    Accessory,
    Colour,
    Figure,
    Framing,
    Hair,
    Kind,
    Pattern,
    Place,
    Pose,
    Scene,
    StandIn,
    Style,
    Thing,
)
from ethical_lens.results import LifeStage

NUDE: Final = "nude"
_HAIR_SHOWS: Final = {LifeStage.CHILDHOOD, LifeStage.ADOLESCENCE, LifeStage.YOUNG_ADULTHOOD}

FACTS: Final[tuple[str, ...]] = (
    *Style, *Framing, *Place, *Thing, *Pattern, *StandIn, *Colour, *GENDERS, *RACES, *LifeStage,
    *Kind, *Figure, *Pose, *Accessory, *Hair, NUDE, *"01234",
)  # fmt: skip
"""All that is noted; the digits say how many people there are."""
WORTH: Final = torch.tensor([6.0 if fact in {NUDE, *StandIn, *Figure} else 1.0 for fact in FACTS])
"""How much each fact matters: most what the heads are to find."""
_INDEX: Final = {fact: i for i, fact in enumerate(FACTS)}


def fact_row(scene: Scene, *, hidden: frozenset[str] = frozenset()) -> torch.Tensor:
    """float32 (len(`FACTS`),): 1 for what `scene` shows; `hidden` is what was blurred since."""
    row = torch.zeros(len(FACTS))
    row[[_INDEX[fact] for fact in _facts(scene) if fact not in hidden]] = 1.0
    return row


def _facts(scene: Scene) -> Iterator[str]:
    yield from (scene.style, scene.framing, str(len(scene.people)))
    yield from scene.stand_ins
    yield from filter(None, (scene.place, scene.thing, scene.pattern))
    if scene.thing or scene.pattern:
        yield scene.colour
    for person in scene.people:
        yield from (person.pose, person.accessory)
        if person.figure:
            yield person.figure
            continue
        yield from (person.gender, person.race, person.stage, NUDE if person.nude else person.kind)
        if person.stage in _HAIR_SHOWS:
            yield person.hair
