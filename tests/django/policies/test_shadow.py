"""A draft that judges live traffic without acting: what it says is recorded, and harms nothing."""

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import Tenant
from ethical_lens.policy import DEFAULT_CONCEPTS, Policy
from ethical_lens.results import Concept, Label, PictureAction, TextAction
from factories import make_job, make_tenant
from jobs.models import Job
from jobs.states import JobStatus
from policies.drafts import draft_edit, draft_make
from policies.models import PolicyShadow, ShadowVerdict
from policies.shadow import shadow_end, shadow_start, shadows_judge
from review_cases import claimed, judged_job, make_user, painted_job
from workers.align import jobs_align
from workers.scrutinise import jobs_scrutinise

pytestmark = [pytest.mark.services, pytest.mark.django_db]

BLOCKS_ALL = Policy(labels={Label.K0: TextAction.BLOCK})


def shadow_of(policy: Policy, tenant: Tenant | None) -> PolicyShadow:
    author = make_user()
    version = (tenant or make_tenant()).policy_version
    draft = draft_make(policy=version.policy, document=policy, note="stricter", author=author)
    return shadow_start(draft=draft, started_by=author, tenant=tenant)


def verdicts(shadow: PolicyShadow) -> list[tuple[Any, str, str]]:
    rows = shadow.verdicts.order_by("picture__index")
    return [(row.picture and row.picture.index, row.live, row.shadowed) for row in rows]


def aligned(tenant: Tenant) -> Job:
    job = make_job(tenant)
    jobs_align([claimed(job, "align")])
    job.refresh_from_db()
    return job


def test_the_shadow_blocks_a_prompt_and_its_job_goes_on() -> None:
    tenant = make_tenant()
    shadow = shadow_of(BLOCKS_ALL, tenant)

    job = aligned(tenant)

    assert verdicts(shadow) == [(None, "allow", "block")]
    assert job.status == JobStatus.ALIGNING
    assert job.decisions.get().action == "allow"
    assert job.stages.filter(stage="generate", state="ready").exists()


def test_pictures_are_judged_when_scrutiny_is_finished() -> None:
    job = painted_job()
    rules = {c: r.model_copy(update={"threshold": 0.0}) for c, r in DEFAULT_CONCEPTS.items()}
    shadow = shadow_of(Policy(concepts=rules, rounds=1), job.tenant)
    before = job.decisions.count()

    jobs_scrutinise([claimed(job, "scrutinise")])

    (picture,) = shadow.verdicts.exclude(picture=None)
    decision = job.decisions.filter(stage="scrutinise").latest("id")
    assert (picture.live, picture.live_reason) == (decision.action, decision.reason)
    assert (picture.shadowed, picture.shadowed_reason) == ("block", "picture_still_toxic")
    assert job.decisions.count() > before
    assert not job.decisions.filter(reason="picture_still_toxic").exists()


def test_a_later_look_replaces_the_verdict() -> None:
    job = judged_job(PictureAction.RELEASE)
    shadow = shadow_of(Policy(), job.tenant)

    shadows_judge([job.pk])
    again = shadows_judge([job.pk])

    assert again == shadow.verdicts.count() == 2, "the prompt and its picture, once each"


def test_only_the_traffic_it_was_started_for_until_it_ends() -> None:
    mine, other = make_tenant(), make_tenant()
    shadow, of_all = shadow_of(BLOCKS_ALL, mine), shadow_of(BLOCKS_ALL, None)

    aligned(other)
    assert (verdicts(shadow), len(verdicts(of_all))) == ([], 1)
    shadow_end(shadow_id=shadow.pk)
    aligned(mine)

    assert (verdicts(shadow), len(verdicts(of_all))) == ([], 2)
    shadow.refresh_from_db()
    ended = shadow.ended_at
    shadow_end(shadow_id=shadow.pk)
    shadow.refresh_from_db()
    assert shadow.ended_at == ended


def test_an_edited_draft_does_not_change_what_its_shadow_says() -> None:
    tenant = make_tenant()
    shadow = shadow_of(BLOCKS_ALL, tenant)
    draft_edit(draft_id=shadow.draft_id, document=Policy(), note="milder", author=make_user())

    aligned(tenant)

    assert verdicts(shadow) == [(None, "allow", "block")]


def test_an_error_in_a_shadow_harms_neither_a_job_nor_another_shadow(
    caplog: pytest.LogCaptureFixture,
) -> None:
    tenant = make_tenant()
    broken, sound = shadow_of(Policy(), tenant), shadow_of(BLOCKS_ALL, tenant)
    PolicyShadow.objects.filter(pk=broken.pk).update(document={"rounds": 9})

    job = aligned(tenant)

    assert "cannot judge" in caplog.text
    assert verdicts(broken) == []
    assert verdicts(sound) == [(None, "allow", "block")]
    assert job.stages.filter(stage="generate", state="ready").exists()


def test_a_database_that_refuses_the_verdicts_harms_no_job(
    caplog: pytest.LogCaptureFixture,
) -> None:
    tenant = make_tenant()
    shadow = shadow_of(BLOCKS_ALL, tenant)
    with connection.cursor() as cursor:
        cursor.execute(
            "ALTER TABLE policies_shadowverdict ADD CONSTRAINT refuses CHECK (live = 'x')"
        )

    job = aligned(tenant)

    assert "the shadows could not judge" in caplog.text
    assert not ShadowVerdict.objects.filter(shadow=shadow).exists()
    assert job.stages.filter(stage="generate", state="ready").exists()


def test_without_a_shadow_it_costs_one_statement() -> None:
    job = make_job()
    with CaptureQueriesContext(
        connection,
    ) as captured:
        assert shadows_judge([job.pk]) == 0
    assert len(captured) == 1


def test_the_page_compares_with_what_was_done() -> None:
    job = judged_job(PictureAction.RELEASE, PictureAction.RELEASE)
    nude = DEFAULT_CONCEPTS[Concept.NUDE].model_copy(update={"threshold": 0.3})
    milder = DEFAULT_CONCEPTS[Concept.NSFW].model_copy(update={"threshold": 1.0})
    rules = DEFAULT_CONCEPTS | {Concept.NUDE: nude, Concept.NSFW: milder}
    shadow = shadow_of(Policy(concepts=rules), job.tenant)
    shadows_judge([job.pk])
    client = Client()
    client.force_login(make_user("policies.view_policyshadow"))

    page = client.get(reverse("policies:shadow", args=[shadow.pk])).content.decode()

    assert "2 of 2 would be something else" in page
    assert "release → blur" in page
    assert "no_finding" in page or "test → region_toxic" in page
    for picture in job.pictures.all():
        assert reverse("admin:jobs_picture_change", args=[picture.pk]) in page


def test_its_page_costs_no_more_for_more_verdicts() -> None:
    shadow = shadow_of(BLOCKS_ALL, None)
    client, statements = Client(), []
    client.force_login(make_user("policies.view_policyshadow"))
    page = reverse("policies:shadow", args=[shadow.pk])
    for number in (1, 30):
        for _ in range(number):
            aligned(make_tenant())
        with CaptureQueriesContext(connection) as queries:
            shown = client.get(page).content.decode()
        statements.append(len(queries))
    assert statements[0] == statements[1] <= 12
    assert "31 of 31 would be something else" in shown
    newest = shadow.verdicts.order_by("-id").values_list("job_id", flat=True)
    assert [str(job) in shown for job in newest[:6]] == [True] * 5 + [False]


def test_a_shadow_is_started_and_ended_in_the_admin() -> None:
    tenant = make_tenant()
    draft = draft_make(
        policy=tenant.policy_version.policy, document=BLOCKS_ALL, note="x", author=make_user()
    )
    client = Client()
    client.force_login(make_user("policies.author_policy", "policies.view_policyshadow",
                                 "policies.view_policydraft"))  # fmt: skip
    start = reverse("policies:shadow_start", args=[draft.pk])

    refused = client.post(start, {"tenant": "nobody"}, follow=True)
    assert "choose a tenant of the list" in refused.content.decode()
    page = client.post(start, {"tenant": str(tenant.pk)}, follow=True)
    shadow = PolicyShadow.objects.get(draft=draft)
    assert (shadow.tenant, shadow.document) == (tenant, draft.document)
    assert tenant.name in page.content.decode()
    client.post(reverse("policies:shadow_end", args=[shadow.pk]))
    shadow.refresh_from_db()
    assert shadow.ended_at
