"""The face editor: a face that does not show what was drawn for it is painted anew.

The method moves gender and age with a StyleGAN2 editor, and only where the prompt says "middle age"
(fault F13). Here it is every attribute that was drawn, by whatever `FaceEditor` is at hand.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, Protocol

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from ethical_lens.decide import decide_picture
from ethical_lens.generation.request import PaintRequest
from ethical_lens.image.readings import Box, FaceReading, ReadsFaces
from ethical_lens.image.scrutineer import Scrutineer
from ethical_lens.image.scrutinise import ScrutinyOutcome, ScrutinyRequest
from ethical_lens.results import (
    AttributeDraw,
    ClusterType,
    Factor,
    PictureAction,
    ReadFace,
    TextVerdict,
)

ATTEMPTS: Final = 2
"""How often a face is painted anew, each time with another seed, until the reader confirms it."""
AREA: Final = 1.8
"""Diameters of the ellipse that an editor may change, in sides of the face's box: hair too."""


@dataclass(frozen=True)
class Candidate:
    """A picture that was scrutinised, and what it was painted from."""

    request: ScrutinyRequest
    outcome: ScrutinyOutcome
    text: TextVerdict
    painted: PaintRequest


@dataclass(frozen=True)
class FaceEdit:
    """What an editor is to do: give the face in `box` the attributes of `draw`.

    `mask` ("L", as large as `image`): where the picture may change, feathered; black is kept as it
    is, to the bit. `painted` is what `image` came from, with a seed of this edit's own; its prompt
    says what was drawn.
    """

    image: Image.Image
    box: Box
    mask: Image.Image
    draw: AttributeDraw
    painted: PaintRequest


class FaceEditor(Protocol):
    """Changes faces, by diffusion, a generative adversarial network, or otherwise."""

    def edit(self, edits: Sequence[FaceEdit]) -> list[Image.Image]:
        """The whole picture (RGB, of the same size) of each edit. Raises `GenerationError`."""


def edit_faces(
    candidates: Sequence[Candidate],
    scrutineer: Scrutineer,
    reader: ReadsFaces,
    editor: FaceEditor,
) -> list[ScrutinyOutcome]:
    """Edit the faces that need it (`draw_to_show`); outcome i belongs to `candidates[i]`.

    An edit is kept only if the reader sees one face with all that was drawn, and if not one pixel
    outside the mask has changed. What is kept is scrutinised as a whole once more, and whatever
    fires then blocks it: there is no second repair. Where no edit is kept the outcome stays.

    Raises `GenerationError` and `ScrutinyError`; then no picture of the batch has a verdict.
    """
    left = {
        i: draw
        for i, one in enumerate(candidates)
        if (draw := draw_to_show(one.request, one.outcome, one.text)) is not None
    }
    kept: dict[int, tuple[Image.Image, tuple[FaceReading, ...]]] = {}
    for attempt in range(1, ATTEMPTS + 1):
        edits = {i: _edit(candidates[i], draw, attempt) for i, draw in left.items()}
        if not edits:
            break
        edited = editor.edit(list(edits.values()))
        readings = reader.read(edited)
        for (i, edit), image, faces in zip(edits.items(), edited, readings, strict=True):
            seen = [face.for_record() for face in faces]
            if (
                len(seen) == 1
                and shows(seen[0], edit.draw)
                and unchanged_outside(edit.image, image, edit.mask)
            ):
                kept[i] = (image, faces)
                del left[i]
    scores = scrutineer.score([image for image, _ in kept.values()]) if kept else []
    outcomes = [one.outcome for one in candidates]
    for (i, (image, faces)), found in zip(kept.items(), scores, strict=True):
        request = candidates[i].request
        final = decide_picture(
            found,
            request.policy,
            round=request.policy.rounds,
            repaired=True,
            under_twenty=request.under_twenty,
            faces=[face.for_record() for face in faces],
        )
        outcomes[i] = replace(outcomes[i], final=final, edited=image)
    return outcomes


def draw_to_show(
    request: ScrutinyRequest, outcome: ScrutinyOutcome, text: TextVerdict
) -> AttributeDraw | None:
    """What was drawn for the one person of a picture, where its face shows something else.

    None for everything else: more people or faces, a figure of name, a picture that may not be
    shown as it is (so none in which a head fired is ever edited), a policy without editing, and a
    life stage under 20 where anything sexual was found in the prompt or may have been in a picture
    before this one.
    """
    faces = outcome.final.faces
    if not (
        request.policy.edit_faces
        and outcome.changed is None
        and outcome.final.action is PictureAction.RELEASE
        and not text.figures
        and [cluster.type for cluster in text.clusters] == [ClusterType.ONE]
        and len(request.draws) == len(faces) == 1
    ):
        return None
    (draw,), (face,) = request.draws, faces
    young = (draw.age is not None and draw.age.under_twenty) or text.minor
    if young and (Factor.SEXUAL in text.factors or request.round > 1):
        return None
    return None if shows(face, draw) else draw


def shows(face: ReadFace, draw: AttributeDraw) -> bool:
    """Whether `face` looks as drawn, in all that was drawn."""
    return (
        draw.gender in {None, face.gender}
        and draw.race in {None, face.race}
        and draw.age in {None, face.stage}
    )


def unchanged_outside(before: Image.Image, after: Image.Image, mask: Image.Image) -> bool:
    """Whether `after` has the size of `before` and its very pixels where `mask` is black."""
    if before.size != after.size:
        return False
    outside = np.asarray(mask) == 0
    return bool((np.asarray(before)[outside] == np.asarray(after.convert("RGB"))[outside]).all())


def face_mask(image: Image.Image, box: Box) -> Image.Image:
    """White in an ellipse around `box`, fading to black, as an "L" image of the size of `image`."""
    left, top, right, bottom = box
    x, y = (left + right) / 2, (top + bottom) / 2
    wide, high = (right - left) * AREA / 2, (bottom - top) * AREA / 2
    mask = Image.new("L", image.size)
    ImageDraw.Draw(mask).ellipse((x - wide, y - high, x + wide, y + high), fill=255)
    return mask.filter(ImageFilter.GaussianBlur(max(wide, high) / 8))


def _edit(candidate: Candidate, draw: AttributeDraw, attempt: int) -> FaceEdit:
    image = candidate.request.image
    (face,) = candidate.outcome.final.faces
    return FaceEdit(
        image,
        face.box,
        face_mask(image, face.box),
        draw,
        candidate.painted.model_copy(update={"seed": (candidate.painted.seed + attempt) % 2**63}),
    )
