"""Rows for tests, made by the project's own services."""

import random
import secrets

from django.db import transaction
from django.utils import timezone

from accounts.models import Tenant
from ethical_lens.policy import Policy
from ethical_lens.text.choose import scrutinise_with
from ethical_lens.text.deck import draw_pictures
from ethical_lens.text.rules import RuleAligner
from jobs.ending import job_settle
from jobs.models import Job
from jobs.services import JobRequest, job_submit
from jobs.states import JobStatus
from jobs.storage import quarantine_put, release_copy
from moderation.decisions import decision_record
from moderation.models import DecisionAction, DecisionStage, PolicyVersion
from moderation.models import Policy as PolicyRow


def make_tenant(policy: Policy | None = None) -> Tenant:
    """A tenant of its own policy, by default the published one."""
    name = f"tenant-{secrets.token_hex(4)}"
    version = PolicyVersion.objects.create(
        policy=PolicyRow.objects.create(name=name),
        number=1,
        document=(policy or Policy()).model_dump(mode="json"),
    )
    return Tenant.objects.create(name=name, slug=name, policy_version=version)


def make_aligned_job(prompt: str, tenant: Tenant | None = None) -> Job:
    """A job whose prompt the offline rules have judged, with draws merged into its one picture."""
    policy = Policy()
    job = make_job(tenant, prompt=prompt)
    verdict, judge = scrutinise_with([RuleAligner()], prompt, "", policy)
    draws, _ = draw_pictures({}, verdict, policy, 1, random.Random(7))
    (aligned,) = judge.merge(verdict, draws, policy).pictures
    job.text_verdict = verdict.model_dump(mode="json")
    job.save()
    picture = job.pictures.get()
    picture.prompt = aligned.prompt
    picture.draws = [draw.model_dump(mode="json") for draw in aligned.draws]
    picture.save()
    return job


def make_job(tenant: Tenant | None = None, **changes: object) -> Job:
    """A submitted job: one small picture of a doctor, unless told otherwise."""
    fields: dict[str, object] = {
        "prompt": "a doctor in an office",
        "model": "mini",
        "width": 96,
        "height": 96,
        "steps": 8,
        "guidance_scale": 4.0,
        "seed": 7,
    } | changes
    return job_submit(tenant=tenant or make_tenant(), request=JobRequest(**fields))  # type: ignore[arg-type]


def release_and_end(job: Job) -> Job:
    """The job as if all its pictures had been painted, judged and released: it has succeeded."""
    with transaction.atomic():
        for picture in job.pictures.all():
            stored = quarantine_put(
                job_id=job.id, picture_id=picture.id, round=1, png=b"not really a picture"
            )
            picture.current = picture.versions.create(
                round=1, kind="painted", prompt=job.prompt, key=stored.key, sha256=stored.sha256,
                size=stored.size,
            )  # fmt: skip
            picture.status = "quarantined"
            picture.save()
            picture.cleared_by = decision_record(
                job=job, picture=picture, stage=DecisionStage.SCRUTINISE, round=1,
                action=DecisionAction.RELEASE, reason="no_finding", explanation="nothing found",
                object_digest=stored.sha256,
            )  # fmt: skip
            picture.released_key = release_copy(
                source=stored.key, job_id=job.id, picture_id=picture.id, sha256=stored.sha256
            )
            picture.released_at, picture.status = timezone.now(), "released"
            picture.save()
        job = move_to(job, JobStatus.SCRUTINISING)
        job_settle(job=job, statuses=["released"])
    return job


def move_to(job: Job, status: JobStatus) -> Job:
    """The job, locked and in `status`, in the transaction under way."""
    Job.objects.filter(pk=job.pk).update(status=status)
    return Job.objects.select_for_update().get(pk=job.pk)
