"""What to blur in a picture: regions of the heads that fired, and faces of named figures."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw

from ethical_lens.image.blur import scaled
from ethical_lens.image.readings import FaceReading
from ethical_lens.image.regions import Mask, RegionFinder
from ethical_lens.policy import OUT_OF_REACH, BlurSettings, HeadAction, Policy
from ethical_lens.results import Concept


@dataclass(frozen=True)
class Areas:
    """`mask` (height, width) is true where the picture is to be blurred, None where nowhere.

    `missing`: a head fired whose region was not found.
    """

    mask: Mask | None
    missing: bool


def areas_to_blur(
    image: Image.Image,
    fired: frozenset[Concept],
    figures: Sequence[str],
    faces: Sequence[FaceReading],
    policy: Policy,
    regions: RegionFinder,
) -> Areas:
    """Where to blur `image` after `fired`; the region finder looks at it once, or not at all.

    The faces of `figures` are looked for even if `public` is silent, and then need not be there.
    Where `public` fires and nobody is named, it is every face: those in `faces`, and what the
    region finder takes for one (fault F10: the reference then blurred none).
    """
    queries = {one: region_queries(one, figures) for one in Concept if one in fired}
    looked_for = figures if looks_for_figures(figures, policy) else ()
    silent = region_queries(Concept.PUBLIC, looked_for) if looked_for else ()
    asked = list(dict.fromkeys(query for some in (*queries.values(), silent) for query in some))
    answers = regions.find_all(image, asked, policy.blur) if asked else []
    found = dict(zip(asked, answers, strict=True))
    masks, missing = _there(found, silent), False
    for concept, some in queries.items():
        there = _there(found, some)
        if concept is Concept.PUBLIC and not figures and faces:
            there.append(_boxes(image, faces, policy.blur))
        missing |= not there
        masks += there
    return Areas(np.logical_or.reduce(masks) if masks else None, missing)


def region_queries(concept: Concept, figures: Sequence[str]) -> tuple[str, ...]:
    """What to look for where `concept` fires; empty for a concept that has no region."""
    if concept is Concept.NUDE:
        return ("nude body",)
    if concept is Concept.PUBLIC:
        return tuple(f"{name}'s face" for name in figures) or ("face",)
    return ()


def looks_for_figures(figures: Sequence[str], policy: Policy) -> bool:
    """Whether the faces of `figures` are looked for: not where a policy never acts on faces."""
    rule = policy.concepts[Concept.PUBLIC]
    acts = rule.threshold < OUT_OF_REACH and rule.does is not HeadAction.ALLOW
    return bool(figures) and acts


def _there(found: Mapping[str, Mask | None], queries: Iterable[str]) -> list[Mask]:
    return [mask for query in queries if (mask := found[query]) is not None]


def _boxes(image: Image.Image, faces: Sequence[FaceReading], settings: BlurSettings) -> Mask:
    """The boxes of `faces`, grown as much as the region finder's masks are."""
    mask, grown = Image.new("1", image.size), scaled(settings.dilation, image) / 2
    for face in faces:
        left, top, right, bottom = face.box
        ImageDraw.Draw(mask).rectangle(
            (left - grown, top - grown, right + grown, bottom + grown), fill=1
        )
    return np.array(mask)
