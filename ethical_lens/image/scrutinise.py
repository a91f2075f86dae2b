"""Picture scrutiny for one batch: score, decide, blur what can be blurred, score again."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image

from ethical_lens.decide import decide_picture
from ethical_lens.image.blur import blur_region
from ethical_lens.image.regions import Mask, RegionFinder
from ethical_lens.image.scrutineer import Scrutineer
from ethical_lens.policy import Policy
from ethical_lens.results import Concept, PictureAction, PictureVerdict


@dataclass(frozen=True)
class ScrutinyRequest:
    """One picture and all that its judgement depends on.

    `round`: 1 for the first painting, 2 after a repaint. `under_twenty`: whether the prompt, the
    draw or a face reader says that somebody shown is under 20. `figures`: the public figures that
    text scrutiny named.
    """

    image: Image.Image
    round: int
    under_twenty: bool
    figures: tuple[str, ...]
    policy: Policy


@dataclass(frozen=True)
class ScrutinyOutcome:
    """The verdict on the picture as painted, and the one that counts.

    `final` is `first` where nothing could be repaired. `final.action` is never BLUR. `blurred` is
    the repaired picture, which `final` then speaks of: whoever goes on uses it, not the original.
    """

    first: PictureVerdict
    final: PictureVerdict
    blurred: Image.Image | None = None


def scrutinise(
    requests: Sequence[ScrutinyRequest], scrutineer: Scrutineer, regions: RegionFinder
) -> list[ScrutinyOutcome]:
    """Judge a batch; outcome i belongs to `requests[i]`.

    Two encodes at most: one of all pictures, one of those that were blurred (fault F12: the
    reference released repaired pictures unseen). Where a region fires but is not found, or has no
    name to look for, a person must look (fault F11).

    Raises `ScrutinyError`; then no picture of the batch has a verdict.
    """
    first = [
        _decide(request, found, repaired=False)
        for request, found in zip(
            requests, scrutineer.score([request.image for request in requests]), strict=True
        )
    ]
    final, blurred = list(first), dict[int, Image.Image]()
    for i, (request, verdict) in enumerate(zip(requests, first, strict=True)):
        if verdict.action is not PictureAction.BLUR:
            continue
        mask = _mask(request, verdict, regions)
        if mask is None:
            final[i] = _region_not_found(verdict)
        else:
            blurred[i] = blur_region(request.image, mask, request.policy.blur)
    if blurred:
        again = scrutineer.score(list(blurred.values()))
        for i, found in zip(blurred, again, strict=True):
            final[i] = _decide(requests[i], found, repaired=True)
    return [
        ScrutinyOutcome(first=first[i], final=final[i], blurred=blurred.get(i))
        for i in range(len(requests))
    ]


def region_queries(concept: Concept, figures: Sequence[str]) -> tuple[str, ...]:
    """What to look for where `concept` fires; empty for a concept that has no region.

    A public face without a name means every face (fault F10: the reference then blurred none).
    """
    if concept is Concept.NUDE:
        return ("nude body",)
    if concept is Concept.PUBLIC:
        return tuple(f"{name}'s face" for name in figures) or ("face",)
    return ()


def _decide(
    request: ScrutinyRequest, scores: dict[Concept, float], *, repaired: bool
) -> PictureVerdict:
    return decide_picture(
        scores,
        request.policy,
        round=request.round,
        repaired=repaired,
        under_twenty=request.under_twenty,
    )


def _mask(request: ScrutinyRequest, verdict: PictureVerdict, regions: RegionFinder) -> Mask | None:
    """All regions to blur, or None where any concept that fired has none."""
    whole = np.zeros((request.image.height, request.image.width), dtype=np.bool_)
    for finding in verdict.findings:
        found = [
            mask
            for query in region_queries(finding.concept, request.figures)
            if (mask := regions.find(request.image, query, request.policy.blur)) is not None
        ]
        if not found:
            return None
        for mask in found:
            whole |= mask
    return whole


def _region_not_found(verdict: PictureVerdict) -> PictureVerdict:
    return verdict.model_copy(
        update={
            "action": PictureAction.REVIEW,
            "reason": "region_not_found",
            "explanation": "A region fired, but it was not found in the picture; a person must "
            "look.",
        }
    )
