"""Rows for tests, made by the project's own services."""

import secrets

from accounts.models import Tenant
from ethical_lens.policy import STAND_IN_POLICY, Policy
from jobs.models import Job
from jobs.services import JobRequest, job_submit
from moderation.models import Policy as PolicyRow
from moderation.models import PolicyVersion


def make_tenant(policy: Policy = STAND_IN_POLICY) -> Tenant:
    """A tenant of its own policy; by default one under which no picture head can fire."""
    name = f"tenant-{secrets.token_hex(4)}"
    version = PolicyVersion.objects.create(
        policy=PolicyRow.objects.create(name=name),
        number=1,
        document=policy.model_dump(mode="json"),
    )
    return Tenant.objects.create(name=name, slug=name, policy_version=version)


def make_job(tenant: Tenant | None = None, **changes: object) -> Job:
    """A submitted job: one small picture of a doctor, unless told otherwise."""
    fields: dict[str, object] = {
        "prompt": "a doctor in an office",
        "model": "stand-in",
        "width": 64,
        "height": 64,
        "steps": 2,
        "guidance_scale": 3.0,
        "seed": 7,
    } | changes
    return job_submit(tenant=tenant or make_tenant(), request=JobRequest(**fields))  # type: ignore[arg-type]
