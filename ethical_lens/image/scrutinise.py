"""Scrutiny of a batch of pictures: score, read faces, decide, blur what can be, score again."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from PIL import Image

from ethical_lens.decide import decide_picture, decide_sent, faces_matter
from ethical_lens.image.areas import areas_to_blur, looks_for_figures
from ethical_lens.image.blur import blur_region
from ethical_lens.image.reading import as_picture
from ethical_lens.image.readings import FaceReading, ReadsFaces
from ethical_lens.image.regions import RegionFinder
from ethical_lens.image.scrutineer import Scrutineer
from ethical_lens.policy import Policy
from ethical_lens.results import AttributeDraw, Concept, PictureAction, PictureVerdict


@dataclass(frozen=True)
class ScrutinyRequest:
    """One picture and all that its judgement depends on.

    `round`: 1 for the first painting, 2 after a repaint. `under_twenty`: whether the prompt or the
    draw says that somebody shown is under 20; what a face says is read from the picture. `figures`:
    the public figures that text scrutiny named. `draws`: what was drawn for the people shown, which
    the faces are compared with.
    """

    image: Image.Image
    round: int
    under_twenty: bool
    figures: tuple[str, ...]
    policy: Policy
    draws: tuple[AttributeDraw, ...] = ()


@dataclass(frozen=True)
class ScrutinyOutcome:
    """The verdict on the picture as painted, and the one that counts.

    `final` is `first` where nothing could be repaired. `final.action` is never BLUR. `blurred` or
    `edited` is the changed picture, which `final` then speaks of: whoever goes on uses `changed`,
    not the original.
    """

    first: PictureVerdict
    final: PictureVerdict
    blurred: Image.Image | None = None
    edited: Image.Image | None = None

    @property
    def changed(self) -> Image.Image | None:
        """The picture that `final` speaks of, where that is not the one that was painted."""
        return self.edited or self.blurred


def scrutinise(
    requests: Sequence[ScrutinyRequest],
    scrutineer: Scrutineer,
    regions: RegionFinder,
    reader: ReadsFaces,
) -> list[ScrutinyOutcome]:
    """Judge a batch; outcome i belongs to `requests[i]`. What is not RGB is judged as shown on
    white and the right way up (`as_picture`).

    Two encodes at most: one of all pictures, one of those that were blurred (fault F12: the
    reference released repaired pictures unseen). Faces are read where the verdict can depend on
    them: where a head fires, a figure is named, or draws are compared with them. Where a region
    fires but is not found, or has no name to look for, a person must look (fault F11).

    Raises `ScrutinyError`; then no picture of the batch has a verdict.
    """
    requests = [replace(request, image=as_picture(request.image)) for request in requests]
    scores = scrutineer.score([request.image for request in requests])
    faces = _faces(requests, scores, reader)
    first = [_decide(*one, repaired=False) for one in zip(requests, scores, faces, strict=True)]
    final, blurred = list(first), dict[int, Image.Image]()
    for i, (request, verdict) in enumerate(zip(requests, first, strict=True)):
        if verdict.action not in {PictureAction.BLUR, PictureAction.RELEASE}:
            continue
        areas = areas_to_blur(
            request.image, verdict.concepts, request.figures, faces[i], request.policy, regions
        )
        if areas.missing:
            final[i] = _region_not_found(verdict)
        elif areas.mask is not None:
            first[i] = _decide(request, scores[i], faces[i], repaired=False, figure_found=True)
            blurred[i] = blur_region(request.image, areas.mask, request.policy.blur)
    if blurred:
        again = scrutineer.score(list(blurred.values()))
        for i, found in zip(blurred, again, strict=True):
            final[i] = _decide(requests[i], found, faces[i], repaired=True)
    return [
        ScrutinyOutcome(first=first[i], final=final[i], blurred=blurred.get(i))
        for i in range(len(requests))
    ]


def inspect_sent(
    images: Sequence[Image.Image],
    scrutineer: Scrutineer,
    reader: ReadsFaces,
    policy: Policy,
    *,
    under_twenty: bool,
    sexual: bool,
) -> list[PictureVerdict]:
    """Judge pictures that somebody sent, as `decide_sent` says, in one encode; verdict i belongs to
    `images[i]`. Faces are read where a head fires, and beside a sexual text.

    Raises `ScrutinyError`; then no picture has a verdict.
    """
    pictures = [as_picture(image) for image in images]

    def decide(i: int, faces: Sequence[FaceReading]) -> PictureVerdict:
        seen = [face.for_record() for face in faces]
        return decide_sent(scores[i], policy, under_twenty=under_twenty, sexual=sexual, faces=seen)

    scores = scrutineer.score(pictures)
    verdicts = [decide(i, ()) for i in range(len(pictures))]
    matter = [
        i for i, verdict in enumerate(verdicts)
        if sexual or faces_matter(scores[i], policy) or verdict.action is not PictureAction.RELEASE
    ]  # fmt: skip
    read = reader.read([pictures[i] for i in matter]) if matter else []
    for i, faces in zip(matter, read, strict=True):
        verdicts[i] = decide(i, faces)
    return verdicts


def _faces(
    requests: Sequence[ScrutinyRequest], scores: Sequence[dict[Concept, float]], reader: ReadsFaces
) -> list[tuple[FaceReading, ...]]:
    """The faces of each picture, in one pass over those whose faces matter."""
    matter = [
        i
        for i, (request, found) in enumerate(zip(requests, scores, strict=True))
        if looks_for_figures(request.figures, request.policy)
        or (request.draws and request.policy.edit_faces)
        or faces_matter(found, request.policy)
        or _decide(request, found, (), repaired=False).action is not PictureAction.RELEASE
    ]
    faces: list[tuple[FaceReading, ...]] = [()] * len(requests)
    read = reader.read([requests[i].image for i in matter]) if matter else []
    for i, some in zip(matter, read, strict=True):
        faces[i] = some
    return faces


def _decide(
    request: ScrutinyRequest,
    scores: dict[Concept, float],
    faces: Sequence[FaceReading],
    *,
    repaired: bool,
    figure_found: bool = False,
) -> PictureVerdict:
    return decide_picture(
        scores,
        request.policy,
        round=request.round,
        repaired=repaired,
        under_twenty=request.under_twenty,
        faces=[face.for_record() for face in faces],
        figure_found=figure_found,
    )


def _region_not_found(verdict: PictureVerdict) -> PictureVerdict:
    return verdict.model_copy(
        update={
            "action": PictureAction.REVIEW,
            "reason": "region_not_found",
            "explanation": "A region fired, but it was not found in the picture; a person must "
            "look.",
        }
    )
