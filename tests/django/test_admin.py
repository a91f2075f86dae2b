"""Every page of the admin answers, and history cannot be written by hand."""

from typing import Any

import pytest
from django.apps import apps
from django.contrib import admin
from django.db import models
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import APIKey, Scope, User
from accounts.services import api_key_authenticate, api_key_create
from admin_rows import delivered, row_of_every_model
from ethical_lens.results import PictureAction
from factories import make_aligned_job, make_job, make_tenant
from jobs.models import Job, Outbox, Picture, StageRun, UsageRecord, Worker
from jobs.states import JobStatus
from moderation.models import (
    Decision,
    RawPictureView,
    Report,
)
from review_cases import held_job, judged_job, make_user
from webhooks.endpoints import endpoint_create
from webhooks.models import Delivery, DeliveryStatus, Endpoint, Event

pytestmark = [pytest.mark.services, pytest.mark.django_db]

REGISTERED = sorted(admin.site._registry, key=lambda model: model._meta.label)
HISTORY = [
    Job, Picture, StageRun, Worker, Outbox, UsageRecord, Decision, RawPictureView, Endpoint, Event,
    Delivery, Report,
]  # fmt: skip


def url(model: type[models.Model], page: str, *args: object) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}", args=args)


@pytest.fixture
def boss() -> User:
    return make_user(is_superuser=True)


@pytest.fixture
def client(boss: User) -> Client:
    client = Client()
    client.force_login(boss)
    return client


def message(response: Any) -> str:
    return " ".join(str(item) for item in response.context["messages"])


@pytest.fixture
def everything(boss: User) -> dict[type[models.Model], models.Model]:
    return row_of_every_model(boss)


def test_every_list_and_every_page_answers(
    client: Client, everything: dict[type[models.Model], models.Model]
) -> None:
    assert set(everything) == set(REGISTERED)
    for model, row in everything.items():
        assert client.get(url(model, "changelist")).status_code == 200, model
        assert client.get(url(model, "change", row.pk)).status_code == 200, model
        history = client.get(url(model, "history", row.pk))
        assert history.status_code == 200, model
        if admin.site._registry[model].get_search_fields(history.wsgi_request):
            found = client.get(url(model, "changelist"), {"q": str(row.pk)})
            assert found.status_code == 200, model
    assert client.get(reverse("admin:index")).status_code == 200


def test_every_model_of_ours_is_in_the_admin() -> None:
    ours = {
        model
        for app in ("accounts", "jobs", "moderation", "policies", "webhooks", "desk")
        for model in apps.get_app_config(app).get_models()
    }
    left_out = {model.__name__ for model in ours - set(REGISTERED)}
    assert left_out == {
        "Deck",
        "PictureVersion",
        "DeliveryAttempt",
        "KeptAnswer",
        "AppDevice",
        "RecoveryDevice",
        "JobEvent",
        "SentPicture",
        "ShadowVerdict",
        "PictureHash",
    }


@pytest.mark.parametrize("model", HISTORY, ids=lambda model: model.__name__)
def test_history_has_no_form(
    model: type[models.Model],
    client: Client,
    everything: dict[type[models.Model], models.Model],
) -> None:
    row = everything[model]
    assert client.get(url(model, "add")).status_code == 403
    assert client.post(url(model, "change", row.pk), {"status": "succeeded"}).status_code == 403
    assert client.post(url(model, "delete", row.pk), {"post": "yes"}).status_code == 403
    assert model._default_manager.filter(pk=row.pk).exists()
    page = client.get(url(model, "change", row.pk)).content.decode()
    assert 'name="_save"' not in page


@pytest.mark.parametrize("status", JobStatus.values)
def test_the_page_of_a_job_answers_in_every_status(status: str, client: Client) -> None:
    job = make_job()
    ended = timezone.now() if status in {"succeeded", "blocked", "failed", "canceled"} else None
    Job.objects.filter(pk=job.pk).update(status=status, ended_at=ended)
    assert client.get(url(Job, "change", job.pk)).status_code == 200


def test_a_job_reads_as_its_story(client: Client) -> None:
    job = judged_job(PictureAction.REVIEW, reason="scores_unreadable", prompt="a nurse & a <cook>")
    page = client.get(url(Job, "change", job.pk)).content.decode()
    for told in (
        "a nurse &amp; a &lt;cook&gt;", "smiling", "K0 safe", "scores unreadable", "0.83",
        "of 0.70", "generate", "job.needs_review", "A person must look",
    ):  # fmt: skip
        assert told in page, told
    assert "presigned" not in page
    assert "X-Amz" not in page
    picture = job.pictures.get()
    assert reverse("moderation:picture_preview", args=[picture.pk]) in page


def test_the_pages_show_what_was_changed_in_a_prompt(client: Client) -> None:
    job = make_aligned_job("a bloody doctor in an office")
    for page in (url(Job, "change", job.pk), url(Picture, "change", job.pictures.get().pk)):
        shown = client.get(page).content.decode()
        assert "<del>bloody</del>" in shown
        assert "takes out shocking content" in shown
        assert "drawn: " in shown


def test_lists_can_be_narrowed_to_what_waits(client: Client) -> None:
    picture = judged_job(PictureAction.REVIEW, PictureAction.BLOCK).pictures.get(index=0)
    held = held_job()
    pictures = client.get(url(Picture, "changelist"), {"waiting": "decision"}).content.decode()
    assert url(Picture, "change", picture.pk) in pictures
    other = picture.job.pictures.get(index=1)
    assert url(Picture, "change", other.pk) not in pictures
    jobs = client.get(url(Job, "changelist"), {"waiting": "prompt"}).content.decode()
    assert url(Job, "change", held.pk) in jobs
    assert url(Job, "change", picture.job_id) not in jobs
    found = client.get(url(Job, "changelist"), {"q": str(held.pk)[-8:]}).content.decode()
    assert url(Job, "change", held.pk) in found


def test_a_job_is_canceled_once(client: Client, boss: User) -> None:
    job = make_job()
    cancel = reverse("admin:jobs_job_cancel", args=[job.pk])
    assert client.get(cancel).status_code == 405
    assert "is canceled" in message(client.post(cancel, follow=True))
    job.refresh_from_db()
    assert job.status == JobStatus.CANCELED
    assert "ended already" in message(client.post(cancel, follow=True))
    assert boss.logentry_set.filter(object_id=str(job.pk)).count() == 1


def test_moderators_find_no_button_to_cancel() -> None:
    job = judged_job(PictureAction.REVIEW)
    client = Client()
    client.force_login(make_user(group="Moderators"))
    page = client.get(url(Job, "change", job.pk)).content.decode()
    assert "Cancel the job" not in page


def test_the_dashboard_counts(client: Client) -> None:
    judged_job(PictureAction.REVIEW)
    page = client.get(reverse("admin:index"))
    by_title = {count.title: count for count in page.context["counts"]}
    assert by_title["pictures wait for a decision"].number >= 1
    assert by_title["pictures wait for a decision"].alarm
    for count in by_title.values():
        assert client.get(count.url).status_code == 200


def test_a_key_is_shown_once_and_works(client: Client) -> None:
    tenant = make_tenant()
    response = client.post(
        url(APIKey, "add"),
        {"tenant": tenant.pk, "name": "web", "scopes": ["jobs:read", "jobs:write"]},
    )
    assert response.status_code == 200
    assert "no-store" in response["Cache-Control"]
    key = response.context["key"]
    assert key in response.content.decode()
    row = api_key_authenticate(key)
    assert (row.tenant, row.scopes) == (tenant, ["jobs:read", "jobs:write"])
    for page in (url(APIKey, "changelist"), url(APIKey, "change", row.pk)):
        content = client.get(page).content.decode()
        assert row.prefix in content
        assert key not in content
        assert row.digest not in content


def test_keys_are_revoked_not_deleted(client: Client) -> None:
    row, _ = api_key_create(tenant=make_tenant(), name="k", scopes=[Scope.JOBS_READ])
    body = {"action": "revoke", "_selected_action": str(row.pk)}
    assert "1 revoked" in message(client.post(url(APIKey, "changelist"), body, follow=True))
    row.refresh_from_db()
    assert row.revoked_at is not None
    assert client.post(url(APIKey, "delete", row.pk)).status_code == 403
    assert client.post(url(APIKey, "change", row.pk), {"name": "x"}).status_code == 403


def test_an_endpoint_is_deactivated_and_its_secret_never_shown(client: Client) -> None:
    endpoint = endpoint_create(tenant_id=make_tenant().id, url="https://example.org/hook")
    body = {"action": "deactivate", "_selected_action": str(endpoint.pk)}
    assert "1 deactivated" in message(client.post(url(Endpoint, "changelist"), body, follow=True))
    endpoint.refresh_from_db()
    assert not endpoint.is_active
    for page in (url(Endpoint, "changelist"), url(Endpoint, "change", endpoint.pk)):
        assert endpoint.secret not in client.get(page).content.decode()


def test_a_delivery_is_sent_again(client: Client) -> None:
    job = judged_job(PictureAction.RELEASE)
    delivery = delivered(job.tenant, job)
    body = {"action": "send_again", "_selected_action": str(delivery.pk)}
    answer = client.post(url(Delivery, "changelist"), body, follow=True)
    assert "1 on the way again" in message(answer)
    delivery.refresh_from_db()
    assert delivery.status == DeliveryStatus.PENDING
    assert delivery.next_attempt_at is not None
    assert delivery.next_attempt_at <= timezone.now()
    assert delivery.attempts == 1


def test_nothing_is_sent_again_to_an_inactive_endpoint(client: Client) -> None:
    job = judged_job(PictureAction.RELEASE)
    delivery = delivered(job.tenant, job)
    Endpoint.objects.filter(pk=delivery.endpoint_id).update(is_active=False)
    for model, row, action in (
        (Delivery, delivery, "send_again"),
        (Endpoint, delivery.endpoint, "replay_failed"),
    ):
        body = {"action": action, "_selected_action": str(row.pk)}
        assert "not active" in message(client.post(url(model, "changelist"), body, follow=True))
    delivery.refresh_from_db()
    assert delivery.status == DeliveryStatus.FAILED


def test_an_endpoint_is_activated_and_what_failed_is_sent_again(client: Client) -> None:
    job = judged_job(PictureAction.RELEASE)
    delivery = delivered(job.tenant, job)
    Endpoint.objects.filter(pk=delivery.endpoint_id).update(is_active=False)
    chosen = {"_selected_action": str(delivery.endpoint_id)}
    for action, said in (("activate", "1 activated"), ("replay_failed", "1 on the way again")):
        answer = client.post(url(Endpoint, "changelist"), {"action": action, **chosen}, follow=True)
        assert said in message(answer)
    delivery.refresh_from_db()
    assert delivery.status == DeliveryStatus.PENDING


def test_signing_in_leads_to_the_first_page(boss: User) -> None:
    boss.set_password("Quiet-River-42")
    boss.save()
    body = {"username": boss.username, "password": "Quiet-River-42"}
    assert Client().post(reverse("admin:login"), body)["Location"] == reverse("admin:index")


def test_people_are_made_in_the_admin(client: Client) -> None:
    response = client.post(
        url(User, "add"),
        {"username": "anna-m", "password1": "Quiet-River-42", "password2": "Quiet-River-42",
         "usable_password": "true"},
    )  # fmt: skip
    assert response.status_code == 302
    assert User.objects.get(username="anna-m").check_password("Quiet-River-42")
