"""Scrutiny: every picture of a round is judged, blurred where that helps, and judged again."""

from collections.abc import Sequence

from PIL import Image

from ethical_lens.results import AttributeDraw, TextVerdict
from jobs.claims import Claim
from jobs.models import Job, Picture
from jobs.recording.scrutiny import ScrutinisedPicture, scrutiny_finish
from jobs.states import PictureStatus
from jobs.storage import object_get, quarantine_put
from moderation.policies import policy_of_version
from workers.leasing import finish_each
from workers.loading import region_finder, scrutineer
from workers.pngs import png_decode, png_encode


def jobs_scrutinise(claims: Sequence[Claim]) -> bool:
    """Judge the pictures of this round of every claimed job, in one encode, and record that.

    Raises `ScrutinyError` where there is no verdict: then nothing is recorded, nothing released.
    """
    from ethical_lens.image.scrutinise import ScrutinyRequest, scrutinise

    jobs = {job.id: job for job in Job.objects.filter(pk__in=[claim.job_id for claim in claims])}
    subjects: list[tuple[Claim, Picture]] = []
    requests: list[ScrutinyRequest] = []
    for claim in claims:
        job = jobs[claim.job_id]
        policy = policy_of_version(job.policy_version_id)
        text = TextVerdict.model_validate(job.text_verdict)
        for picture in _pictures(claim, job):
            subjects.append((claim, picture))
            requests.append(
                ScrutinyRequest(
                    image=_image(picture),
                    round=claim.round,
                    under_twenty=text.minor or _drawn_under_twenty(picture),
                    figures=text.figures,
                    policy=policy,
                )
            )
    outcomes = scrutinise(requests, scrutineer(), region_finder()) if requests else []
    judged: dict[Claim, list[ScrutinisedPicture]] = {claim: [] for claim in claims}
    for (claim, picture), outcome in zip(subjects, outcomes, strict=True):
        blurred = None
        if outcome.blurred is not None:
            blurred = quarantine_put(
                job_id=claim.job_id,
                picture_id=picture.id,
                round=claim.round,
                png=png_encode(outcome.blurred),
            )
        judged[claim].append(
            ScrutinisedPicture(
                picture_id=picture.id,
                verdict=outcome.first if blurred else outcome.final,
                blurred=blurred,
                verdict_on_blurred=outcome.final if blurred else None,
            )
        )
    return finish_each(
        claims,
        lambda claim, rider: scrutiny_finish(
            claim=claim,
            scrutinised=judged[claim],
            model_digests=scrutineer().digests,
            rider=rider,
        ),
    )


def _pictures(claim: Claim, job: Job) -> list[Picture]:
    return list(
        job.pictures.filter(
            round=claim.round, status=PictureStatus.QUARANTINED, current__isnull=False
        ).select_related("current")
    )


def _image(picture: Picture) -> Image.Image:
    if picture.current is None:
        raise ValueError(f"picture {picture.id} was never painted")
    return png_decode(object_get(picture.current.key, sha256=picture.current.sha256))


def _drawn_under_twenty(picture: Picture) -> bool:
    draws = [AttributeDraw.model_validate(draw) for draw in picture.draws or ()]
    return any(draw.age is not None and draw.age.under_twenty for draw in draws)
