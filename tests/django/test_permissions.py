"""Every page and every action of the people's side, with every role: who is let in, and who not.

What is expected stands in three tables. A page, model or action that is in none of them fails here,
with the line to add.
"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any
from uuid import uuid4

import pytest
from django.contrib import admin
from django.contrib.auth.models import AnonymousUser, Group, Permission
from django.db import models, transaction
from django.test import Client, RequestFactory
from django.urls import URLPattern, get_resolver, reverse

from accounts.models import User
from admin_rows import row_of_every_model
from desk.models import Choice, ReviewItem
from jobs.models import Job, SentPicture
from jobs.storage import sent_put
from moderation.models import PolicyVersion
from moderation.roles import GRANTS, Role
from policies.models import PolicyDraft, PolicyShadow
from review_cases import make_user
from sent_pictures import harmless

pytestmark = [pytest.mark.services, pytest.mark.django_db]

ROLES = {"moderator": Role.MODERATOR, "lead": Role.LEAD, "author": Role.POLICY_AUTHOR,
         "auditor": Role.AUDITOR, "operator": Role.OPERATOR}  # fmt: skip
ALL = "moderator lead author auditor operator"
STAFF = ALL + " staff"
"""Whoever may sign in to the admin, with a role or without."""


@dataclass(frozen=True)
class Model:
    """Which roles see the rows of a model (list, page, history), add, change and delete them."""

    see: str = ""
    add: str = ""
    change: str = ""
    delete: str = ""


@dataclass(frozen=True)
class Get:
    roles: str


@dataclass(frozen=True)
class Post:
    """A page that answers nothing but POST."""

    roles: str


MODELS = {
    "accounts.apikey": Model(see="auditor operator", add="operator"),
    "accounts.tenant": Model(see="auditor operator", add="operator", change="operator"),
    "accounts.user": Model(),
    "admin.logentry": Model(see="auditor"),
    "auth.group": Model(),
    "desk.choice": Model(see="lead auditor"),
    "desk.reviewersettings": Model(),
    "desk.reviewitem": Model(see="moderator lead auditor"),
    "desk.tenantweight": Model(
        see="lead operator", add="operator", change="operator", delete="operator"
    ),
    "axes.accessattempt": Model(see="auditor operator", delete="operator"),
    "axes.accessfailurelog": Model(see="auditor"),
    "axes.accesslog": Model(see="auditor"),
    "jobs.job": Model(see=ALL),
    "jobs.outbox": Model(see="operator"),
    "jobs.picture": Model(see="moderator lead author auditor"),
    "jobs.stagerun": Model(see="operator"),
    "jobs.usagerecord": Model(see="auditor operator"),
    "jobs.worker": Model(see="operator"),
    "moderation.appeal": Model(see="moderator lead auditor"),
    "moderation.decision": Model(see="moderator lead author auditor"),
    "moderation.policy": Model(see=ALL, add="author"),
    "moderation.policyevaluation": Model(see="moderator lead author auditor", add="author"),
    "moderation.policyversion": Model(see=ALL),
    "moderation.rawpictureview": Model(see="lead auditor"),
    "moderation.report": Model(see="moderator lead auditor"),
    "policies.policyassignment": Model(see="lead author auditor operator", add="author operator"),
    "policies.policydraft": Model(see="lead author auditor", add="author", change="author"),
    "policies.policyshadow": Model(see="lead author auditor"),
    "webhooks.delivery": Model(see="auditor operator"),
    "webhooks.endpoint": Model(see="auditor operator"),
    "webhooks.event": Model(see="auditor operator"),
}
PAGES: dict[str, Get | Post] = {
    "accounts:two_factor": Get(STAFF),
    "accounts:two_factor_codes": Post(STAFF),
    "accounts:two_factor_confirm": Post(STAFF),
    "accounts:two_factor_off": Post(STAFF),
    "admin:index": Get(STAFF),
    "admin:search": Get(STAFF),
    "admin:app_list": Get(STAFF),
    "admin:autocomplete": Get(""),  # nothing is completed yet
    "admin:jsi18n": Get(STAFF),
    "admin:password_change": Get(STAFF),
    "admin:password_change_done": Get(STAFF),
    "admin:view_on_site": Get(STAFF),
    "admin:auth_user_password_change": Get(""),
    "admin:jobs_job_cancel": Post("operator"),
    "moderation:decisions_export": Get("auditor"),
    "desk:agreement": Get("lead"),
    "desk:decide": Post("moderator lead"),
    "desk:golden": Post("lead"),
    "desk:hand_back": Post("moderator lead"),
    "desk:home": Get("moderator lead auditor"),
    "desk:item": Get("moderator lead auditor"),  # of their queues; leads and auditors, of all
    "desk:open": Post("moderator lead"),
    "desk:settings": Post("moderator lead"),
    "desk:take": Post("moderator lead"),
    "desk:undo": Post("moderator lead"),
    "moderation:evaluation_picture": Get(ALL),
    "moderation:evaluation_report": Get(ALL),
    "moderation:evaluation_runs": Get(ALL),
    "playground:events": Get("author operator"),
    "playground:picture": Get("author operator"),
    "playground:start": Get("author operator"),
    "playground:state": Get("author operator"),
    "playground:trial": Get("author operator"),
    "moderation:picture_overlay": Get("moderator lead author auditor"),
    "moderation:picture_preview": Get("moderator lead author auditor"),
    "moderation:picture_raw": Post("moderator lead"),
    "moderation:sent_overlay": Get("moderator lead author auditor"),
    "moderation:sent_preview": Get("moderator lead author auditor"),
    "moderation:sent_raw": Post("moderator lead"),
    "policies:copy": Post("author"),
    "policies:differences": Get(ALL),
    "policies:document": Get(ALL),
    "policies:publish": Post("lead author"),
    "policies:roll_back": Post("lead author"),
    "policies:shadow": Get("lead author auditor"),
    "policies:shadow_end": Post("author"),
    "policies:shadow_start": Post("author"),
    "policies:what_if": Get("lead author auditor"),
    "policies:what_if_csv": Get("lead author auditor"),
}
NOT_FOUND = {
    "admin:app_list": "who has no role sees nothing of the app",
    "admin:view_on_site": "nothing has a page elsewhere",
    "desk:undo": "choices are taken back by who made them",
    "moderation:evaluation_picture": "no run lies in the folder",
    "moderation:evaluation_report": "no run lies in the folder",
    "playground:events": "trials belong to who began them",
    "playground:picture": "trials belong to who began them",
    "playground:state": "trials belong to who began them",
    "playground:trial": "trials belong to who began them",
    "policies:differences": "two are to be named",
}
"""Pages that find nothing here for whom they let in, and why."""
ACTIONS = {
    "accounts.apikey rotate": "operator",
    "accounts.apikey revoke": "operator",
    "auth.group delete_selected": "",
    "desk.tenantweight delete_selected": "operator",
    "axes.accessattempt delete_selected": "operator",
    "policies.policyassignment withdraw": "author operator",
    "webhooks.delivery send_again": "operator",
    "webhooks.endpoint activate": "operator",
    "webhooks.endpoint deactivate": "operator",
    "webhooks.endpoint replay_failed": "operator",
    "webhooks.endpoint replay_range": "operator",
    "webhooks.endpoint rotate": "operator",
    "webhooks.endpoint send_test": "operator",
}
NAMED = {
    "choice_id": Choice, "draft_id": PolicyDraft, "item_id": ReviewItem, "sent_id": SentPicture,
    "shadow_id": PolicyShadow, "source_id": PolicyVersion, "version_id": PolicyVersion,
}  # fmt: skip
"""Whose row an argument names, where it is not called like the model."""
OPEN = {"admin:login", "admin:logout"}
"""Pages of the admin for people who are not signed in."""
PROGRAMS = ("api/", "v1/", "livez", "readyz", "metrics")
"""Addresses for programs: they have tests of their own."""

Rows = dict[type[models.Model], models.Model]
Asked = list[tuple[str, str, str, set[str]]]


@dataclass(frozen=True)
class Page:
    """An address of the people's side, as the resolver has it."""

    name: str
    route: str
    converters: dict[str, Any]


def pages() -> list[Page]:
    def walk(node: Any, name: str, route: str, converters: dict[str, Any]) -> Iterator[Page]:
        for item in node.url_patterns:
            here = route + str(item.pattern)
            taken = converters | item.pattern.converters
            if isinstance(item, URLPattern):
                yield Page(name + (item.name or ""), here, taken)
            else:
                yield from walk(
                    item, name + f"{item.namespace}:" * bool(item.namespace), here, taken
                )

    found = walk(get_resolver(), "", "", {})
    return [page for page in found if page.route and not page.route.startswith(PROGRAMS)]


def model_of(page: Page) -> tuple[str, str] | None:
    """`jobs.job`, `changelist` where the page is one that Django makes for every model."""
    for model in admin.site._registry:
        label = model._meta.label_lower
        for kind in ("changelist", "add", "change", "history", "delete"):
            if page.name == f"admin:{label.replace('.', '_')}_{kind}":
                return label, kind
    return None


def arguments(page: Page, rows: Rows) -> dict[str, Any]:
    """What to fill its address with: the row that an argument names, or something that is not
    there, which nobody without the right may find out."""
    by_name = {f"{model._meta.model_name}_id": row.pk for model, row in rows.items()}
    by_name |= {name: rows[model].pk for name, model in NAMED.items()}
    if (made := model_of(page)) is not None:
        by_name["object_id"] = next(r.pk for m, r in rows.items() if m._meta.label_lower == made[0])
    examples = {"UUIDConverter": uuid4(), "IntConverter": 1}
    found = {
        name: by_name.get(name.replace("_", "", name.count("_") - 1))
        or examples.get(type(converter).__name__, "something")
        for name, converter in page.converters.items()
    }
    return found | ({"app_label": "jobs"} if page.name == "admin:app_list" else {})


def asked(rows: Rows) -> Asked:
    """Every request of the tables: page, method, address, who is let in."""
    requests: Asked = []
    for page in pages():
        if page.name in OPEN or page.name in {"", "admin:"}:  # redirects, and what does not exist
            continue
        address = reverse(page.name, kwargs=arguments(page, rows))
        made = model_of(page)
        if made is not None:
            assert made[0] in MODELS, (
                f'a model that nothing is expected of: add "{made[0]}": Model(see="…") to MODELS'
            )
            model, kind = MODELS[made[0]], made[1]
            changing = model.change if kind == "change" else ""
            seeing = {"add": model.add, "delete": model.delete}.get(kind, model.see)
            requests.append((page.name, "get", address, {*seeing.split(), *changing.split()}))
            if kind == "change":
                requests.append((page.name, "post", address, set(changing.split())))
        else:
            assert page.name in PAGES, (
                f"a page that nothing is expected of ({page.route}): "
                f'add "{page.name}": Get("…") or Post("…") to PAGES'
            )
            expected = PAGES[page.name]
            method = "post" if isinstance(expected, Post) else "get"
            requests.append((page.name, method, address, set(expected.roles.split())))
    return requests


def signed_in(who: str) -> tuple[Client, User]:
    user = make_user(group=ROLES[who].value) if who in ROLES else make_user()
    client = Client()
    client.force_login(user)
    return client, user


def answer(client: Client, method: str, address: str) -> Any:
    """The answer; what the request did is undone, so that the next finds the same."""
    with transaction.atomic():
        response = getattr(client, method)(address)
        transaction.set_rollback(True)
    return response


@pytest.fixture
def rows() -> Rows:
    rows = row_of_every_model(make_user(is_superuser=True))
    job = rows[Job]
    assert isinstance(job, Job)
    stored = sent_put(job_id=job.pk, index=1, content=harmless())
    mask = job.sent.create(index=1, role=SentPicture.Role.MASK, **asdict(stored))
    return rows | {SentPicture: mask}


@pytest.mark.parametrize("who", STAFF.split())
def test_every_page_lets_in_whom_it_should(who: str, rows: Rows) -> None:
    client, _ = signed_in(who)
    wrong = []
    for name, method, address, roles in asked(rows):
        status = answer(client, method, address).status_code
        if who in roles:
            ok = status not in (403, 405) and status < 500
            ok = ok and (status != 404 or name in NOT_FOUND)
        else:
            ok = status == 403
            if not name.endswith("_change"):  # that has a line per method
                other = answer(client, "post" if method == "get" else "get", address).status_code
                ok = ok and other in (403, 405)
        if not ok:
            wrong.append(f"{method} {name}: {status} for {who}, expected of: {sorted(roles)}")
    assert wrong == []


def test_nobody_is_sent_to_sign_in(rows: Rows) -> None:
    login = reverse("admin:login")
    for name, _, address, _ in asked(rows):
        for method in ("get", "post"):
            response = answer(Client(), method, address)
            assert response.status_code == 302, (name, method)
            assert response["Location"].startswith(login), (name, method)


@pytest.mark.parametrize("who", STAFF.split())
def test_every_action_is_offered_to_whom_it_should(who: str, rows: Rows) -> None:
    client, user = signed_in(who)
    request = RequestFactory().get("/")
    wrong = []
    for model, model_admin in admin.site._registry.items():
        label = model._meta.label_lower
        request.user = make_user(is_superuser=True)
        for action in model_admin.get_actions(request):
            key = f"{label} {action}"
            assert key in ACTIONS, (
                f'an action that nothing is expected of: add "{key}": "…" to ACTIONS'
            )
            address = reverse(f"admin:{label.replace('.', '_')}_changelist")
            body = {"action": action, "_selected_action": str(rows[model].pk)}
            with transaction.atomic():
                response: Any = client.post(address, body, follow=True)
                transaction.set_rollback(True)
            list_again = "cl" in (response.context or {}) and not response.redirect_chain
            not_chosen = "No action selected" in response.content.decode()
            done = response.status_code == 200 and not list_again and not not_chosen
            request.user = user
            offered = action in model_admin.get_actions(request)
            expected = who in ACTIONS[key].split()
            if (done, offered) != (expected, expected):
                wrong.append(f"{key}: done {done}, offered {offered} to {who}")
            request.user = make_user(is_superuser=True)
    assert wrong == []


def test_the_tables_name_nothing_that_is_gone(rows: Rows) -> None:
    named = {page.name for page in pages()}
    assert set(PAGES) - named == set()
    assert set(NOT_FOUND) <= set(PAGES)
    assert set(MODELS) == {model._meta.label_lower for model in admin.site._registry}
    request = RequestFactory().get("/")
    request.user = make_user(is_superuser=True)
    assert set(ACTIONS) == {
        f"{model._meta.label_lower} {action}"
        for model, model_admin in admin.site._registry.items()
        for action in model_admin.get_actions(request)
    }
    request.user = AnonymousUser()
    assert all(not m.get_actions(request) for m in admin.site._registry.values())


def test_the_groups_have_what_their_roles_say_and_no_more() -> None:
    for role in Role:
        granted = {
            f"{app}.{codename}"
            for app, codename in Group.objects.get(name=role.value).permissions.values_list(
                "content_type__app_label", "codename"
            )
        }
        assert granted == {name for name, roles in GRANTS.items() if role in roles}, role


def test_the_next_migrate_puts_the_groups_right() -> None:
    from django.core.management import call_command

    group = Group.objects.get(name=Role.AUDITOR.value)
    group.permissions.add(Permission.objects.get(codename="decide"))
    group.permissions.remove(Permission.objects.get(codename="view_decision"))
    own = Group.objects.create(name="Night shift")
    own.permissions.add(Permission.objects.get(codename="decide"))
    call_command("migrate", verbosity=0)
    codenames = set(group.permissions.values_list("codename", flat=True))
    assert "decide" not in codenames
    assert "view_decision" in codenames
    assert own.permissions.count() == 1, "groups of other names are left alone"
