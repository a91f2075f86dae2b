"""Painting: the pictures of one or several jobs together, raw ones into quarantine."""

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain
from uuid import UUID

from django.conf import settings
from PIL import Image

from ethical_lens.generation.request import PaintRequest
from jobs.claims import Claim, ClaimLost, leases_renew
from jobs.models import Picture
from jobs.progress import progress_publish
from jobs.recording.painting import (
    PaintedPicture,
    PictureToPaint,
    painting_finish,
    pictures_to_paint,
)
from jobs.storage import quarantine_put
from workers.leasing import finish_together
from workers.loading import lora_digest, painter, painter_digest
from workers.pngs import png_encode
from workers.sent import paint_on_sent

PROGRESS_SECONDS = 0.5
PAINTING = threading.Lock()
"""Held by whoever paints: pipelines are not for two threads at once."""


@dataclass(frozen=True, slots=True)
class _Order:
    """A picture to paint, and the claim it is painted under."""

    claim: Claim
    picture: PictureToPaint


def jobs_paint(claims: Sequence[Claim]) -> bool:
    """Paint and store the pictures of this round of every claimed job, then record them.

    Raises `GenerationError` where the pipeline fails, `ClaimLost` where no claim is left.
    """
    by_job = {claim.job_id: claim for claim in claims}
    orders = [_Order(by_job[picture.job_id], picture) for picture in pictures_to_paint(claims)]
    painted: dict[Claim, list[PaintedPicture]] = {claim: [] for claim in claims}
    digests: dict[str, str] = {}
    size = settings.ENVIRONMENT.generate_batch_size
    for start in range(0, len(orders), size):
        batch = orders[start : start + size]
        model, lora = batch[0].picture.model, batch[0].picture.lora
        digests["pipeline"] = painter_digest(model)
        if lora:
            digests["lora"] = lora_digest(lora)
        with PAINTING:
            images = _paint(batch)
        for order, image in zip(batch, images, strict=True):
            stored = quarantine_put(
                job_id=order.claim.job_id,
                picture_id=order.picture.picture_id,
                round=order.claim.round,
                png=png_encode(image),
            )
            painted[order.claim].append(
                PaintedPicture(order.picture.picture_id, order.picture.prompt, stored)
            )
    return finish_together(painted, partial(painting_finish, model_digests=digests))


def _paint(batch: Sequence[_Order]) -> list[Image.Image]:
    pictures = [order.picture for order in batch]
    requests = [paint_request(picture) for picture in pictures]
    if pictures[0].strength is not None:
        return paint_on_sent(pictures, requests, _Progress(batch))
    return painter(pictures[0].model).paint(requests, on_step=_Progress(batch))


def paint_request(picture: PictureToPaint) -> PaintRequest:
    """What a painter is asked for."""
    return PaintRequest(
        prompt=picture.prompt,
        negative_prompt=picture.negative_prompt,
        seed=picture.seed,
        width=picture.width,
        height=picture.height,
        steps=picture.steps,
        guidance_scale=picture.guidance_scale,
        lora=picture.lora,
    )


class _Progress:
    """Step callback: stores and tells progress at intervals, and stops once nobody waits for the
    batch."""

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
        by_job: dict[UUID, list[UUID]] = {}
        for order in self.batch:
            if order.claim.stage_id in held:
                by_job.setdefault(order.claim.job_id, []).append(order.picture.picture_id)
        # The painter counts on where it paints in parts; a job knows the steps of one picture.
        steps = self.batch[0].picture.steps
        done = steps * step // total
        Picture.objects.filter(pk__in=chain.from_iterable(by_job.values())).update(steps_done=done)
        progress_publish(pictures=by_job, step=done, steps=steps)
