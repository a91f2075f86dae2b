"""Every sensitive act of a person leaves a line that an auditor sees and nobody can take away."""

from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group, Permission
from django.db import DatabaseError, connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.models import APIKey, Scope, Tenant, User
from accounts.services import api_key_create
from desk.choosing import choice_make, choices_settle
from desk.models import ReviewItem, Verdict
from desk.taking import item_open
from ethical_lens.policy import Policy
from factories import make_tenant
from moderation.models import RawPictureView
from policies.assignments import assignment_make
from policies.drafts import draft_make
from policies.models import PolicyDraft, PolicyShadow
from review_cases import make_user, reviewed_picture
from webhooks.endpoints import endpoint_create

pytestmark = [pytest.mark.services, pytest.mark.django_db]

LOG = reverse("admin:admin_logentry_changelist")


@pytest.fixture
def boss() -> User:
    return make_user(is_superuser=True)


@pytest.fixture
def client(boss: User) -> Client:
    client = Client()
    client.force_login(boss)
    return client


def act(client: Client, model: str, action: str, *rows: Any) -> Any:
    body = {"action": action, "_selected_action": [str(row.pk) for row in rows]}
    return client.post(reverse(f"admin:{model}_changelist"), body, follow=True)


def said(by: User) -> list[str]:
    """What the log says this person did, as it is shown, oldest first."""
    lines = LogEntry.objects.filter(user=by).order_by("id")
    return [f"{line.object_repr}: {line.get_change_message()}" for line in lines]


def seen_by_an_auditor(line: str, by: User) -> bool:
    auditor = Client()
    auditor.force_login(make_user(group="Auditors"))
    assert f'href="{LOG}"' in auditor.get("/admin/").content.decode(), "in the sidebar"
    page = auditor.get(LOG, {"q": by.username}).content.decode()
    return line in page.replace("&#x27;", "'")


def test_keys_made_rotated_and_revoked(client: Client, boss: User, tenant: Tenant) -> None:
    add = reverse("admin:accounts_apikey_add")
    client.post(add, {"tenant": tenant.pk, "name": "till", "scopes": ["jobs:read"]})
    key = APIKey.objects.get(tenant=tenant, name="till")
    act(client, "accounts_apikey", "rotate", key)
    act(client, "accounts_apikey", "revoke", key)
    assert said(boss) == [f"{key}: Added.", f"{key}: Rotated.", f"{key}: Revoked."]
    assert seen_by_an_auditor("Rotated.", boss)
    act(client, "accounts_apikey", "revoke", key)
    assert len(said(boss)) == 3, "it was revoked already"


def test_a_policy_published_rolled_back_and_given_to_a_tenant(
    client: Client, boss: User, tenant: Tenant
) -> None:
    first = tenant.policy_version
    draft = draft_make(
        policy=first.policy, document=Policy(rounds=1), note="calm", author=make_user()
    )
    client.post(reverse("policies:publish", args=[draft.pk]))
    client.post(reverse("policies:roll_back", args=[first.pk]))
    client.post(
        reverse("admin:policies_policyassignment_add"),
        {"tenant": tenant.pk, "policy_version": first.pk},
    )
    second, third = first.policy.versions.filter(number__gt=1).order_by("number")
    assert said(boss)[:2] == [f"{second}: Published.", f"{third}: Rolled back to {first}."]
    assert said(boss)[2].endswith("Added.")
    assert str(tenant) in said(boss)[2]
    assert seen_by_an_auditor("Published.", boss)


def test_a_policy_copied_and_judging_in_the_shadow(
    client: Client, boss: User, tenant: Tenant
) -> None:
    version = tenant.policy_version
    client.post(reverse("policies:copy", args=[version.pk]))
    draft = PolicyDraft.objects.get(authors=boss)
    client.post(reverse("policies:shadow_start", args=[draft.pk]), {"tenant": tenant.pk})
    end = reverse("policies:shadow_end", args=[PolicyShadow.objects.get(draft=draft).pk])
    client.post(end)
    client.post(end)
    assert said(boss) == [
        f"{draft}: Copied from {version}.",
        f"{draft}: Judges in the shadow of {tenant}.",
        f"{draft}: Judges in the shadow no more.",
    ]


def test_a_golden_item(client: Client, boss: User) -> None:
    picture = reviewed_picture()
    item = picture.review_items.get()
    item_open(item_id=item.pk, user=boss)
    choice_make(item_id=item.pk, user=boss, verdict=Verdict.BLOCK, explanation="A weapon.")
    ReviewItem.objects.filter(pk=item.pk).update(settles_at=timezone.now())
    choices_settle()
    golden = reverse("desk:golden", args=[item.pk])
    client.post(golden)
    client.post(golden)
    assert said(boss) == [f"picture {picture.pk}: Put into the queue again, as a golden item."]


def test_an_export_is_recorded_before_a_line_leaves(
    client: Client, boss: User, tenant: Tenant
) -> None:
    address = reverse("moderation:decisions_export")
    asked = {"since": "2026-01-01T00:00", "until": "2026-02-01T00:00", "format": "csv"}
    assert client.get(address, asked | {"until": "2020-01-01T00:00"}).status_code == 400
    assert said(boss) == [], "nothing was exported"
    assert client.get(address, asked | {"tenant": str(tenant.pk)}).streaming
    line = f"2026-01-01 00:00 to 2026-02-01 00:00: Exported as csv: {tenant}."
    assert said(boss) == [line], "though not a line has been read yet"
    assert seen_by_an_auditor(f"Exported as csv: {tenant}.", boss)


def test_what_if_is_recorded_where_it_leaves_as_a_file(
    client: Client, boss: User, tenant: Tenant
) -> None:
    query = {"policy": str(tenant.policy_version.pk), "days": "3", "tenant": str(tenant.pk)}
    client.get(reverse("policies:what_if"), query)
    assert said(boss) == []
    client.get(reverse("policies:what_if_csv"), query)
    assert said(boss) == [f"{tenant.policy_version}: What if of 3 days exported: {tenant}."]


def test_an_original_looked_at(client: Client, boss: User) -> None:
    picture = reviewed_picture()
    client.post(reverse("moderation:picture_raw", args=[picture.pk]))
    assert RawPictureView.objects.get(picture=picture).user == boss
    auditor = Client()
    auditor.force_login(make_user(group="Auditors"))
    views = reverse("admin:moderation_rawpictureview_changelist")
    assert f'href="{views}"' in auditor.get("/admin/").content.decode()
    assert boss.username in auditor.get(views).content.decode()


def test_roles_given_and_taken_are_named(client: Client, boss: User) -> None:
    person = make_user(group="Moderators")
    change = reverse("admin:accounts_user_change", args=[person.pk])
    form = client.get(change).context["adminform"].form
    body = {
        name: value
        for name, value in form.initial.items()
        if name in form.fields and isinstance(value, str) and value
    }
    auditors = Group.objects.get(name="Auditors")
    may = Permission.objects.get(codename="decide")
    body |= {
        "is_active": "on", "is_staff": "on", "groups": [auditors.pk],
        "user_permissions": [may.pk],
        "date_joined_0": "2026-01-01", "date_joined_1": "00:00:00",
    }  # fmt: skip
    answer = client.post(change, body)
    assert answer.status_code == 302, answer.context["adminform"].form.errors
    named = (
        f"{person}: Permissions given: moderation.decide. Groups given: Auditors. "
        "Groups taken: Moderators."
    )
    assert named in said(boss)
    assert seen_by_an_auditor("Groups taken: Moderators.", boss)

    group = reverse("admin:auth_group_change", args=[auditors.pk])
    client.post(group, {"name": "Auditors", "permissions": [may.pk]})
    told = next(line for line in said(boss) if line.startswith("Auditors: Permissions given"))
    assert "given: moderation.decide." in told
    assert "moderation.export_decisions" in told.partition("taken:")[2]


@pytest.mark.parametrize(
    ("action", "line"),
    [
        ("rotate", "Secret rotated."), ("deactivate", "Deactivated."),
        ("send_test", "Test event sent."), ("replay_failed", "0 failed deliveries sent again."),
    ],
)  # fmt: skip
def test_secrets_of_webhooks(
    client: Client, boss: User, tenant: Tenant, action: str, line: str
) -> None:
    endpoint = endpoint_create(tenant_id=tenant.id, url="http://127.0.0.1:1/hooks")
    act(client, "webhooks_endpoint", action, endpoint)
    assert said(boss) == [f"{endpoint}: {line}"]
    assert seen_by_an_auditor(line, boss)
    assert endpoint.secret not in str(said(boss))


def test_no_line_can_be_changed_or_added_by_hand(client: Client, boss: User) -> None:
    key, _ = api_key_create(tenant=make_tenant(), name="k", scopes=[Scope.JOBS_READ])
    act(client, "accounts_apikey", "revoke", key)
    line = LogEntry.objects.get(user=boss)
    assert client.get(reverse("admin:admin_logentry_add")).status_code == 403
    page = reverse("admin:admin_logentry_change", args=[line.pk])
    assert client.post(page, {"change_message": "nothing"}).status_code == 403
    assert client.post(reverse("admin:admin_logentry_delete", args=[line.pk])).status_code == 403
    for statement in (
        "UPDATE django_admin_log SET change_message = 'nothing' WHERE id = %s",
        "DELETE FROM django_admin_log WHERE id = %s",
    ):
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
            connection.cursor().execute(statement, [line.pk])


def test_the_list_of_tenants_costs_the_same_for_many(client: Client) -> None:
    listed = reverse("admin:accounts_tenant_changelist")
    client.get(listed)  # content types are read once

    def queries() -> int:
        with CaptureQueriesContext(connection) as asked:
            assert client.get(listed).status_code == 200
        return len(asked)

    make_tenant()
    before = queries()
    tenants = [make_tenant() for _ in range(8)]
    moved = tenants[0]
    assignment_make(tenant=moved, version=tenants[1].policy_version, made_by=make_user())
    assert queries() == before
    page = client.get(listed, {"q": moved.slug}).content.decode()
    assert str(tenants[1].policy_version) in page, "what is in force, not what it was made with"
