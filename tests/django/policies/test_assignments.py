"""Which version a job is judged by: the one in force when it is submitted."""

from datetime import timedelta

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import Tenant
from ethical_lens.policy import Policy
from factories import make_job, make_tenant
from moderation.models import PolicyVersion
from moderation.policies import policy_version_add
from policies.assignments import assignment_make, assignment_withdraw, version_in_force
from policies.errors import TooLate
from policies.models import PolicyAssignment
from review_cases import make_user

pytestmark = [pytest.mark.services, pytest.mark.django_db]

HOUR = timedelta(hours=1)


@pytest.fixture
def tenant() -> Tenant:
    return make_tenant()


@pytest.fixture
def stricter(tenant: Tenant) -> PolicyVersion:
    return policy_version_add(
        policy=tenant.policy_version.policy, document=Policy(rounds=1), created_by=None
    )


def test_a_job_takes_the_version_in_force_at_its_submission(
    tenant: Tenant, stricter: PolicyVersion
) -> None:
    before = make_job(tenant)
    assignment_make(tenant=tenant, version=stricter, made_by=make_user())
    after = make_job(tenant)

    assert before.policy_version == tenant.policy_version
    assert after.policy_version == stricter
    before.refresh_from_db()
    assert before.policy_version == tenant.policy_version, "what was submitted keeps its version"


def test_the_moment_it_starts(tenant: Tenant, stricter: PolicyVersion) -> None:
    start = timezone.now() + HOUR
    assignment_make(tenant=tenant, version=stricter, made_by=make_user(), starts_at=start)

    just_before = start - timedelta(microseconds=1)
    assert version_in_force(tenant, just_before) == tenant.policy_version_id
    assert version_in_force(tenant, start) == stricter.pk
    assert make_job(tenant).policy_version == tenant.policy_version, "it has not begun"


def test_the_latest_start_holds_and_other_tenants_are_not_touched(
    tenant: Tenant, stricter: PolicyVersion
) -> None:
    boss, first = make_user(), tenant.policy_version
    now = timezone.now()
    assignment_make(tenant=tenant, version=stricter, made_by=boss, starts_at=now + 2 * HOUR)
    assignment_make(tenant=tenant, version=first, made_by=boss, starts_at=now + HOUR)
    other = make_tenant()

    assert version_in_force(tenant, now + 1.5 * HOUR) == first.pk
    assert version_in_force(tenant, now + 3 * HOUR) == stricter.pk
    assert version_in_force(other, now + 3 * HOUR) == other.policy_version_id


def test_what_has_not_begun_can_be_withdrawn(tenant: Tenant, stricter: PolicyVersion) -> None:
    boss, start = make_user(), timezone.now() + HOUR
    planned = assignment_make(tenant=tenant, version=stricter, made_by=boss, starts_at=start)
    begun = assignment_make(tenant=tenant, version=stricter, made_by=boss)

    assignment_withdraw(assignment_id=planned.pk, withdrawn_by=boss)
    with pytest.raises(TooLate, match="it has begun"):
        assignment_withdraw(assignment_id=begun.pk, withdrawn_by=boss)

    planned.refresh_from_db()
    assert planned.withdrawn_by == boss
    assert version_in_force(tenant, start) == stricter.pk, "by the one that had begun"
    with pytest.raises(IntegrityError), transaction.atomic():
        PolicyAssignment.objects.filter(pk=begun.pk).update(withdrawn_at=timezone.now() + HOUR)


@pytest.mark.parametrize(
    ("statement", "planned"),
    [
        ("UPDATE policies_policyassignment SET starts_at = now() WHERE id = %(id)s", True),
        ("UPDATE policies_policyassignment SET made_by_id = %(other)s WHERE id = %(id)s", True),
        (
            "UPDATE policies_policyassignment SET withdrawn_at = now(),"
            " starts_at = starts_at + interval '1 day', withdrawn_by_id = %(other)s"
            " WHERE id = %(id)s",
            True,
        ),
        (
            "UPDATE policies_policyassignment SET withdrawn_at = starts_at - interval '1 hour',"
            " withdrawn_by_id = %(other)s WHERE id = %(id)s",
            False,
        ),
        ("DELETE FROM policies_policyassignment WHERE id = %(id)s", True),
        ("DELETE FROM policies_policyassignment WHERE id = %(id)s", False),
        ("TRUNCATE policies_policyassignment", True),
    ],
)
def test_what_was_in_force_is_not_rewritten(
    tenant: Tenant, stricter: PolicyVersion, statement: str, planned: bool
) -> None:
    boss, start = make_user(), timezone.now() + HOUR if planned else None
    made = assignment_make(tenant=tenant, version=stricter, made_by=boss, starts_at=start)
    connection.cursor().execute("SET CONSTRAINTS ALL IMMEDIATE")
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        connection.cursor().execute(statement, {"id": made.pk, "other": make_user().pk})
    kept = PolicyAssignment.objects.get(pk=made.pk)
    assert (kept.starts_at, kept.made_by, kept.withdrawn_at) == (made.starts_at, boss, None)


def test_what_was_withdrawn_stays_withdrawn(tenant: Tenant, stricter: PolicyVersion) -> None:
    boss = make_user()
    planned = assignment_make(
        tenant=tenant, version=stricter, made_by=boss, starts_at=timezone.now() + HOUR
    )
    assignment_withdraw(assignment_id=planned.pk, withdrawn_by=boss)
    again = "UPDATE policies_policyassignment SET withdrawn_at = NULL, withdrawn_by_id = NULL"
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        connection.cursor().execute(f"{again} WHERE id = %s", [planned.pk])


def test_nothing_starts_in_the_past(tenant: Tenant, stricter: PolicyVersion) -> None:
    with pytest.raises(TooLate, match="leave the start empty for at once"):
        assignment_make(
            tenant=tenant, version=stricter, made_by=make_user(), starts_at=timezone.now() - HOUR
        )


def test_a_tenant_gets_a_version_in_the_admin(tenant: Tenant, stricter: PolicyVersion) -> None:
    client = Client()
    client.force_login(make_user("policies.assign_policy", "policies.view_policyassignment"))
    add = reverse("admin:policies_policyassignment_add")
    body = {"tenant": tenant.pk, "policy_version": stricter.pk}
    page = client.get(add, {"policy_version": str(stricter.pk)})
    assert page.context["adminform"].form.initial["policy_version"] == stricter

    past = body | {"starts_at_0": "2020-01-01", "starts_at_1": "00:00:00"}
    assert "That moment is over" in client.post(add, past).content.decode()
    assert client.post(add, body).status_code == 302

    made = PolicyAssignment.objects.get(tenant=tenant)
    assert version_in_force(tenant, timezone.now()) == stricter.pk
    change = reverse("admin:policies_policyassignment_change", args=[made.pk])
    assert client.get(change).status_code == 200
    assert client.post(change, body).status_code == 403
    answer = client.post(
        reverse("admin:policies_policyassignment_changelist"),
        {"action": "withdraw", "_selected_action": str(made.pk)},
        follow=True,
    )
    assert "was not withdrawn: it has begun" in answer.content.decode()
    author = Client()
    author.force_login(make_user("policies.author_policy"))
    assert author.get(add).status_code == 403
