"""What was sent with a job: fetched where it is an address, judged before anything is painted, then
painted on."""

from collections.abc import Callable, Sequence

from PIL import Image

from ethical_lens.generation.request import PaintRequest
from ethical_lens.results import Factor, TextVerdict
from jobs.claims import Claim
from jobs.models import Job, SentPicture
from jobs.recording.inspection import fetch_finish, inspection_finish, sent_refuse
from jobs.recording.painting import PictureToPaint
from jobs.storage import object_get, sent_put
from moderation.fetching import PictureNotFetched, picture_fetch
from moderation.policies import policy_of_version
from workers.loading import face_reader, painter, scrutineer


def job_fetch(claims: Sequence[Claim]) -> bool:
    """Fetch and store the pictures that were sent as addresses; one that cannot be had fails the
    job."""
    (claim,) = claims
    fetched = {}
    for picture in Job(pk=claim.job_id).sent.filter(key=""):
        try:
            content = picture_fetch(picture.url).content
        except PictureNotFetched as error:
            return sent_refuse(
                claim=claim, reason=error.code, explanation=f"Picture {picture.index}: {error}."
            )
        fetched[picture.id] = sent_put(job_id=claim.job_id, index=picture.index, content=content)
    return fetch_finish(claim=claim, fetched=fetched)


def job_inspect(claims: Sequence[Claim]) -> bool:
    """Judge the pictures that were sent, together with what was said of the text.

    Raises `ScrutinyError` where there is no verdict: then nothing is recorded, and nothing painted.
    """
    from ethical_lens.image.errors import UnreadablePicture
    from ethical_lens.image.reading import read_picture
    from ethical_lens.image.scrutinise import inspect_sent

    (claim,) = claims
    job = Job.objects.get(pk=claim.job_id)
    pictures, images = list(job.sent.all()), []
    for picture in pictures:
        try:
            images.append(read_picture(object_get(picture.key, sha256=picture.sha256)))
        except UnreadablePicture as error:
            return sent_refuse(
                claim=claim, reason="no_picture", explanation=f"Picture {picture.index} {error}."
            )
    text = TextVerdict.model_validate(job.text_verdict) if job.prompt else None
    verdicts = inspect_sent(
        images,
        scrutineer(),
        face_reader(),
        policy_of_version(job.policy_version_id),
        under_twenty=text is not None and text.minor,
        sexual=text is not None and Factor.SEXUAL in text.factors,
    )
    return inspection_finish(
        claim=claim, pictures=pictures, verdicts=verdicts, model_digests=scrutineer().digests
    )


def paint_on_sent(
    pictures: Sequence[PictureToPaint],
    requests: Sequence[PaintRequest],
    on_step: Callable[[int, int], None],
) -> list[Image.Image]:
    """Paint `requests[i]`, of one batch key, on what was sent with the job of `pictures[i]`; only
    where its mask is white, if it has one. `on_step` is told as by `Painter.paint`.

    Raises `GenerationError` as `Painter.paint` does, also where the pipeline cannot inpaint.
    """
    from ethical_lens.generation.inpainter import Inpainter
    from ethical_lens.image.reading import read_mask, read_picture

    content = {
        (sent.job_id, sent.role): object_get(sent.key, sha256=sent.sha256)
        for sent in SentPicture.objects.filter(job__in={picture.job_id for picture in pictures})
    }
    size = (requests[0].width, requests[0].height)
    everywhere = Image.new("L", size, 255)
    under, masks = [], []
    for picture in pictures:
        mask = content.get((picture.job_id, SentPicture.Role.MASK))
        under.append(read_picture(content[picture.job_id, SentPicture.Role.PICTURE]).resize(size))
        masks.append(
            everywhere if mask is None else read_mask(mask).resize(size, Image.Resampling.NEAREST)
        )
    strength = pictures[0].strength
    assert strength is not None, "only such pictures are painted on what was sent"
    inpainter = Inpainter(painter(pictures[0].model))
    painted = inpainter.repaint(requests, under, masks, strength, on_step)
    # The autoencoder changes a little also what is black in the mask.
    return [
        Image.composite(new, old, mask)
        for new, old, mask in zip(painted, under, masks, strict=True)
    ]
