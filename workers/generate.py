"""Painting: the pictures of one or several jobs together, raw ones into quarantine."""

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from django.conf import settings

from ethical_lens.generation.request import PaintRequest
from jobs.claims import Claim, ClaimLost, leases_renew
from jobs.models import Job, Picture
from jobs.recording.painting import PaintedPicture, painting_finish
from jobs.states import PictureStatus
from jobs.storage import quarantine_put
from workers.leasing import finish_each
from workers.loading import painter, painter_digest
from workers.pngs import png_encode

PROGRESS_SECONDS = 0.5
_ONE_AT_A_TIME = threading.Lock()  # pipelines are not for two threads at once


@dataclass(frozen=True, slots=True)
class _Order:
    """A picture to paint, and the claim it is painted under."""

    claim: Claim
    picture: Picture
    request: PaintRequest


def jobs_paint(claims: Sequence[Claim]) -> bool:
    """Paint and store the pictures of this round of every claimed job, then record them.

    Raises `GenerationError` where the pipeline fails, `ClaimLost` where no claim is left.
    """
    jobs = {job.id: job for job in Job.objects.filter(pk__in=[claim.job_id for claim in claims])}
    model = jobs[claims[0].job_id].model
    orders = [order for claim in claims for order in _orders(claim, jobs[claim.job_id])]
    painted: dict[UUID, list[PaintedPicture]] = {claim.stage_id: [] for claim in claims}
    size = settings.ENVIRONMENT.generate_batch_size
    for start in range(0, len(orders), size):
        batch = orders[start : start + size]
        with _ONE_AT_A_TIME:
            images = painter(model).paint(
                [order.request for order in batch], on_step=_Progress(batch)
            )
        for order, image in zip(batch, images, strict=True):
            stored = quarantine_put(
                job_id=order.claim.job_id,
                picture_id=order.picture.id,
                round=order.claim.round,
                png=png_encode(image),
            )
            painted[order.claim.stage_id].append(
                PaintedPicture(order.picture.id, order.request.prompt, stored)
            )
    digests = {"pipeline": painter_digest(model)}
    return finish_each(
        claims,
        lambda claim, rider: painting_finish(
            claim=claim, painted=painted[claim.stage_id], model_digests=digests, rider=rider
        ),
    )


def _orders(claim: Claim, job: Job) -> list[_Order]:
    pictures = job.pictures.filter(
        round=claim.round, status__in=[PictureStatus.PENDING, PictureStatus.QUARANTINED]
    )
    negative = (job.text_verdict or {}).get("negative_prompt", "")
    return [
        _Order(
            claim,
            picture,
            PaintRequest(
                prompt=picture.prompt,
                negative_prompt=negative,
                seed=picture.seed,
                width=job.width,
                height=job.height,
                steps=job.steps,
                guidance_scale=job.guidance_scale,
            ),
        )
        for picture in pictures
    ]


class _Progress:
    """Step callback: stores progress at intervals, and stops once nobody waits for the batch."""

    def __init__(self, batch: Sequence[_Order]) -> None:
        self.batch = batch
        self.told = time.monotonic()

    def __call__(self, step: int, total: int) -> None:
        if time.monotonic() - self.told < PROGRESS_SECONDS:
            return
        self.told = time.monotonic()
        held = leases_renew({order.claim for order in self.batch})
        if not held:
            raise ClaimLost("every job of the batch has ended or was taken over")
        pictures = [order.picture.id for order in self.batch if order.claim.stage_id in held]
        Picture.objects.filter(pk__in=pictures).update(steps_done=step)
