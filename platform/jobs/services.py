"""What a tenant can do with a job: submit it, cancel it."""

import secrets
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from accounts.models import APIKey, Tenant
from config.rows import rows_insert, statements_together
from config.tracing import traceparent_next
from jobs.ending import job_end
from jobs.models import Job, Picture, SentPicture, StageRun
from jobs.outbox import outbox_admit, outbox_continue
from jobs.promotion import stage_promote
from jobs.quotas import (
    HIGHEST_PRIORITY,
    QUEUE,
    PriorityNotAllowed,
    priority_limit,
    quota_check,
)
from jobs.stages import (
    ALIGN,
    EDIT,
    GENERATE,
    RELEASE,
    SCRUTINISE,
    SECOND_ROUND,
    Stage,
    pipeline_of,
    position_of,
)
from jobs.states import TERMINAL, JobStatus, StageState
from jobs.uploads import Sent, Upload, uploaded
from moderation.policies import policy_of_version
from policies.assignments import version_in_force


@dataclass(frozen=True, slots=True, kw_only=True)
class JobRequest:
    """A validated request: `n` pictures of `width` x `height` pixels. No seed: a random one.

    A job that has not ended `cancel_after` its submission is canceled. No priority: the middle
    one, or the highest that is allowed where that is less. With a `picture`, known to be one, it is
    painted on that, as far as `strength` (above 0 to 1) goes back to noise, and with a `mask` only
    where that is white or transparent.
    """

    prompt: str
    model: str
    lora: str = ""
    negative_prompt: str = ""
    n: int = 1
    width: int
    height: int
    steps: int
    guidance_scale: float
    seed: int | None = None
    priority: int | None = None
    cancel_after: timedelta | None = None
    picture: bytes | None = None
    mask: bytes | None = None
    strength: float | None = None

    @property
    def sent(self) -> list[Sent]:
        """What comes with it."""
        of = ((SentPicture.Role.PICTURE, self.picture), (SentPicture.Role.MASK, self.mask))
        return [(role, content) for role, content in of if content is not None]


@dataclass(frozen=True, slots=True, kw_only=True)
class ScrutinyRequest:
    """A text, pictures, or both, to be judged alone. A picture is its bytes, found to be a
    picture, or the address to fetch it from."""

    text: str = ""
    pictures: tuple[bytes | str, ...] = ()

    @property
    def sent(self) -> list[Sent]:
        """What comes with it."""
        return [(SentPicture.Role.PICTURE, picture) for picture in self.pictures]


def job_submit(
    *,
    tenant: Tenant,
    request: JobRequest,
    api_key: APIKey | None = None,
    upload: Upload | None = None,
) -> Job:
    """Write the job, its pictures, its stages and its outbox row in one transaction. `upload` is
    what came with it, where the caller has stored that already.

    Who submits with a key has quotas. Raises `NotAllowed` where the tenant's policy does not let
    it use the model or the LoRA weights, `LimitExceeded` where the job is larger than the policy
    allows, `QuotaExceeded`, `PriorityNotAllowed`, and `StorageError`; then nothing is written.
    """
    with nullcontext(upload) if upload else uploaded(request.sent) as stored:
        job = _job(tenant, request, stored.job_id)
        job_enter(job=job, priority=request.priority, api_key=api_key, sent=stored.sent)
        return job


def _job(tenant: Tenant, request: JobRequest, job_id: UUID) -> Job:
    seed = request.seed if request.seed is not None else secrets.randbelow(2**32)
    return Job(
        id=job_id,
        tenant=tenant,
        prompt=request.prompt,
        negative_prompt=request.negative_prompt,
        model=request.model,
        lora=request.lora,
        n=request.n,
        width=request.width,
        height=request.height,
        steps=request.steps,
        guidance_scale=request.guidance_scale,
        strength=request.strength if request.picture is not None else None,
        seed=seed,
        cancel_at=timezone.now() + request.cancel_after if request.cancel_after else None,
    )


def job_enter(
    *,
    job: Job,
    priority: int | None = None,
    api_key: APIKey | None = None,
    draws: Sequence[Any] | None = None,
    sent: Sequence[SentPicture] = (),
) -> None:
    """Write a job that is not written yet, with all that belongs to it.

    It is judged by the policy version it names, or by that in force, which must allow it in any
    case. `sent` are the pictures that came with it. `draws` are those of the pictures to paint,
    where they are settled before the prompt is judged. Raises as `job_submit`.
    """
    in_force = version_in_force(job.tenant, at=timezone.now())
    job.policy_version_id = job.policy_version_id or in_force
    policy = policy_of_version(in_force)
    if not job.scrutiny_alone:
        policy.check_model(job.model)
        policy.check_lora(job.lora)
    policy.check_limits(
        n=job.n, width=job.width, height=job.height, steps=job.steps,
        prompt=max(job.prompt, job.negative_prompt, key=len),
    )  # fmt: skip
    highest = priority_limit(api_key) if api_key is not None else HIGHEST_PRIORITY
    if priority is not None and priority > highest:
        raise PriorityNotAllowed(highest)
    if api_key is not None:
        QUEUE.check()
    job.api_key, job.traceparent = api_key, traceparent_next()
    job.priority = min(5, highest) if priority is None else priority
    pictures = [
        Picture(job=job, index=i, seed=(job.seed + i) % 2**32, draws=draws[i] if draws else None)
        for i in range(job.n)
    ]
    stages = pipeline_of(
        text=bool(job.prompt),
        pictures=bool(sent),
        addresses=any(picture.url for picture in sent),
        paints=not job.scrutiny_alone,
    )
    with transaction.atomic(), statements_together():
        rows_insert([job, *sent, *pictures, *_stages(job, stages, round=1)])
        outbox_admit(job=job)
        if api_key is not None:
            quota_check(job=job, api_key=api_key)
    job.written = pictures


def scrutiny_submit(
    *,
    tenant: Tenant,
    request: ScrutinyRequest,
    api_key: APIKey | None = None,
    upload: Upload | None = None,
) -> Job:
    """Write a job of scrutiny alone; `upload` as for `job_submit`.

    Raises `QuotaExceeded`, `LimitExceeded` or `StorageError`, with nothing written.
    """
    with nullcontext(upload) if upload else uploaded(request.sent) as stored:
        job = Job(
            id=stored.job_id, tenant=tenant, prompt=request.text,
            n=0, width=0, height=0, steps=0, guidance_scale=0, seed=0,
        )  # fmt: skip
        job_enter(job=job, api_key=api_key, sent=stored.sent)
        return job


def stages_add(*, job: Job, stages: tuple[Stage, ...], round: int) -> None:
    """Insert stage rows, which wait for their turn."""
    rows_insert(_stages(job, stages, round))


def _stages(job: Job, stages: tuple[Stage, ...], round: int) -> list[StageRun]:
    return [
        StageRun(
            job=job,
            stage=stage.name.value,
            round=round,
            position=position_of(stage, round),
            batch_key=_batch_key(job, stage),
        )
        for stage in stages
    ]


def second_round_add(*, job: Job) -> None:
    """Let the failing pictures be revised, painted and scrutinised once more."""
    stages_add(job=job, stages=SECOND_ROUND, round=2)


def edit_add(*, job: Job, round: int) -> None:
    """Let faces of this round that do not look as drawn be painted anew."""
    stages_add(job=job, stages=(EDIT,), round=round)


def release_schedule(*, job: Job, delay: float) -> None:
    """Let a release stage settle the held job after `delay` seconds, unless one is due already.

    Rounds that were still to come are skipped: a person has taken over.
    """
    job.stages.filter(state=StageState.WAITING).exclude(stage=RELEASE.name).update(
        state=StageState.SKIPPED
    )
    if job.stages.filter(state__in=[StageState.READY, StageState.RUNNING]).exists():
        return
    if not job.stages.filter(state=StageState.WAITING).exists():
        releases = job.stages.filter(stage=RELEASE.name).count()
        stages_add(job=job, stages=(RELEASE,), round=releases + 1)
    outbox_continue(job, available_at=stage_promote(job, delay=delay))


def job_cancel(*, job_id: UUID) -> Job:
    """End the job as canceled; a job that has ended stays as it is. The job as it now is."""
    with transaction.atomic():
        job = Job.objects.select_for_update().get(pk=job_id)
        if JobStatus(job.status) not in TERMINAL:
            job_end(
                job=job,
                status=JobStatus.CANCELED,
                reason="canceled",
                explanation="Canceled on request.",
            )
    return job


def _batch_key(job: Job, stage: Stage) -> str:
    """Paintings fit together with the same model, LoRA, size, steps, guidance and strength;
    scrutiny and release always; prompts where rules judge them: a language model takes seconds for
    each."""
    if stage is GENERATE:
        key = f"{job.model} {job.lora} {job.width}x{job.height} {job.steps} {job.guidance_scale:g}"
        return key if job.strength is None else f"{key} {job.strength:g}"
    if stage is ALIGN:
        aligners = policy_of_version(job.policy_version_id).aligners
        return "rules" if aligners == ("rules",) else ""
    return stage.name.value if stage in (SCRUTINISE, RELEASE) else ""
