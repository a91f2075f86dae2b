"""Rows for tests, made by the project's own services."""

import secrets

from accounts.models import Tenant
from ethical_lens.policy import Policy
from jobs.models import Job
from jobs.services import JobRequest, job_submit
from moderation.models import Policy as PolicyRow
from moderation.models import PolicyVersion


def make_tenant(policy: Policy | None = None) -> Tenant:
    """A tenant of its own policy, by default the published one."""
    name = f"tenant-{secrets.token_hex(4)}"
    version = PolicyVersion.objects.create(
        policy=PolicyRow.objects.create(name=name),
        number=1,
        document=(policy or Policy()).model_dump(mode="json"),
    )
    return Tenant.objects.create(name=name, slug=name, policy_version=version)


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
