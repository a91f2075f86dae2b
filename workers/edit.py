"""Editing faces: what does not look as drawn is painted anew, and judged once more."""

from collections.abc import Sequence

from jobs.claims import Claim
from jobs.recording.editing import EditedPicture, editing_finish, pictures_to_edit
from jobs.storage import quarantine_put
from workers.generate import PAINTING, paint_request
from workers.loading import (
    face_reader,
    lora_digest,
    painter,
    painter_digest,
    region_finder,
    scrutineer,
)
from workers.near import pdq_hash
from workers.pngs import png_encode
from workers.scrutinise import scrutiny_request


def job_edit(claims: Sequence[Claim]) -> bool:
    """Edit the faces of this round of one job that need it, and record what came of it.

    Works beside the painter with the models of scrutiny, which are loaded where they are first
    needed. Raises `GenerationError` where the pipeline fails or cannot inpaint, and `ScrutinyError`
    where there is no verdict: then every picture stays as it was.
    """
    from ethical_lens.image.diffusion_editor import DiffusionEditor
    from ethical_lens.image.face_edit import Candidate, draw_to_show, edit_faces
    from ethical_lens.image.scrutinise import scrutinise

    (claim,) = claims
    pictures = pictures_to_edit(claim)
    requests = [scrutiny_request(judged, claim.round) for judged, _ in pictures]
    before = scrutinise(requests, scrutineer(), region_finder(), face_reader()) if requests else []
    wanting = [
        (judged.picture_id, Candidate(request, outcome, judged.text, paint_request(painted)))
        for (judged, painted), request, outcome in zip(pictures, requests, before, strict=True)
        if draw_to_show(request, outcome, judged.text) is not None
    ]
    edited, digests = list[EditedPicture](), dict[str, str]()
    if wanting:
        model, lora = pictures[0][1].model, pictures[0][1].lora
        digests["pipeline"] = painter_digest(model)
        if lora:
            digests["lora"] = lora_digest(lora)
        with PAINTING:
            after = edit_faces(
                [candidate for _, candidate in wanting],
                scrutineer(),
                face_reader(),
                DiffusionEditor(painter(model)),
            )
        for (picture_id, candidate), outcome in zip(wanting, after, strict=True):
            faces = candidate.outcome.final.faces
            if outcome.edited is None:
                edited.append(EditedPicture(picture_id, faces))
                continue
            stored = quarantine_put(
                job_id=claim.job_id,
                picture_id=picture_id,
                round=claim.round,
                png=png_encode(outcome.edited),
            )
            pdq = pdq_hash(outcome.edited)
            edited.append(EditedPicture(picture_id, faces, stored, outcome.final, pdq))
    return editing_finish(
        claim=claim,
        edited=edited,
        painter_digests=digests,
        scrutiny_digests=scrutineer().digests,
    )
