"""Scrutiny: every picture of a round is judged, blurred where that helps, and judged again."""

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from PIL import Image

from jobs.claims import Claim
from jobs.recording.scrutiny import (
    PictureToScrutinise,
    ScrutinisedPicture,
    pictures_to_scrutinise,
    scrutiny_finish,
)
from jobs.storage import object_get, quarantine_put
from moderation.policies import policy_of_version
from workers.leasing import finish_together
from workers.loading import face_reader, region_finder, scrutineer
from workers.near import pdq_hash
from workers.pngs import png_decode, png_encode
from workers.shadowing import judge_in_shadow

if TYPE_CHECKING:
    from ethical_lens.image.scrutinise import ScrutinyRequest


def jobs_scrutinise(claims: Sequence[Claim]) -> bool:
    """Judge the pictures of this round of every claimed job, in one encode, and record that.

    Raises `ScrutinyError` where there is no verdict: then nothing is recorded, nothing released.
    """
    from ethical_lens.image.face_edit import draw_to_show
    from ethical_lens.image.scrutinise import scrutinise

    by_job = {claim.job_id: claim for claim in claims}
    pictures = pictures_to_scrutinise(claims)
    requests = [scrutiny_request(one, by_job[one.job_id].round) for one in pictures]
    outcomes = (
        scrutinise(requests, scrutineer(), region_finder(), face_reader()) if requests else []
    )
    judged: dict[Claim, list[ScrutinisedPicture]] = {claim: [] for claim in claims}
    for picture, request, outcome in zip(pictures, requests, outcomes, strict=True):
        claim, blurred = by_job[picture.job_id], None
        if outcome.blurred is not None:
            blurred = quarantine_put(
                job_id=claim.job_id,
                picture_id=picture.picture_id,
                round=claim.round,
                png=png_encode(outcome.blurred),
            )
        judged[claim].append(
            ScrutinisedPicture(
                picture_id=picture.picture_id,
                verdict=outcome.first if blurred else outcome.final,
                blurred=blurred,
                verdict_on_blurred=outcome.final if blurred else None,
                pdq=pdq_hash(outcome.blurred or request.image),
                not_as_drawn=draw_to_show(request, outcome, picture.text) is not None,
            )
        )
    digests = scrutineer().digests
    onward = finish_together(judged, partial(scrutiny_finish, model_digests=digests))
    judge_in_shadow(claims)
    return onward


def scrutiny_request(picture: PictureToScrutinise, round: int) -> "ScrutinyRequest":
    """What scrutiny is asked of a stored picture in this round."""
    from ethical_lens.image.scrutinise import ScrutinyRequest

    return ScrutinyRequest(
        image=_image(picture),
        round=round,
        under_twenty=picture.under_twenty,
        figures=picture.text.figures,
        policy=policy_of_version(picture.policy_version_id),
        # A face that a moderator made unrecognisable is not painted anew to look as drawn.
        draws=() if picture.retouched else picture.draws,
    )


def _image(picture: PictureToScrutinise) -> Image.Image:
    return png_decode(object_get(picture.key, sha256=picture.sha256))
