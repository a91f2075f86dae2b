"""Which version a tenant's jobs are judged by, and when that changes."""

from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import F, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.utils import timezone

from accounts.models import Tenant, User
from config.rows import rows_read
from moderation.models import PolicyVersion
from policies.errors import TooLate
from policies.models import PolicyAssignment

_IN_FORCE = """
SELECT policy_version_id FROM policies_policyassignment
WHERE tenant_id = %s AND withdrawn_at IS NULL AND starts_at <= %s
ORDER BY starts_at DESC, id DESC LIMIT 1
"""


def version_in_force(tenant: Tenant, at: datetime) -> UUID:
    """The id of the version that the tenant's jobs are submitted under at that moment."""
    found: list[UUID] = rows_read(lambda version: version, _IN_FORCE, [tenant.pk, at])
    return found[0] if found else tenant.policy_version_id


def with_version_in_force(tenants: QuerySet[Tenant], at: datetime) -> QuerySet[Tenant]:
    """The tenants, each with `policy_in_force` and `number_in_force` of its version."""
    begun = PolicyAssignment.objects.filter(
        tenant=OuterRef("pk"), withdrawn_at=None, starts_at__lte=at
    ).order_by("-starts_at", "-id")
    return tenants.annotate(
        policy_in_force=Coalesce(
            Subquery(begun.values("policy_version__policy__name")[:1]),
            F("policy_version__policy__name"),
        ),
        number_in_force=Coalesce(
            Subquery(begun.values("policy_version__number")[:1]), F("policy_version__number")
        ),
    )


def assignment_make(
    *, tenant: Tenant, version: PolicyVersion, made_by: User, starts_at: datetime | None = None
) -> PolicyAssignment:
    """Give the tenant the version from `starts_at` on, or from now. Jobs submitted before keep
    theirs. Raises `TooLate` for a start in the past."""
    now = timezone.now()
    if starts_at is not None and starts_at < now:
        raise TooLate("that moment is over: leave the start empty for at once")
    return PolicyAssignment.objects.create(
        tenant=tenant, policy_version=version, made_by=made_by, starts_at=starts_at or now
    )


def assignment_withdraw(*, assignment_id: UUID, withdrawn_by: User) -> PolicyAssignment:
    """Take back what has not begun. Raises `TooLate` for what has."""
    with transaction.atomic():
        assignment = PolicyAssignment.objects.select_for_update(of=("self",)).get(pk=assignment_id)
        now = timezone.now()
        if assignment.withdrawn_at is None:
            if assignment.starts_at <= now:
                raise TooLate("it has begun: give the tenant another version instead")
            assignment.withdrawn_at, assignment.withdrawn_by = now, withdrawn_by
            assignment.save(update_fields=["withdrawn_at", "withdrawn_by"])
    return assignment
