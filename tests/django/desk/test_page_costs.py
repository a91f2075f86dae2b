"""Pages of the desk and of policies cost the same however much they list."""

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from desk.choosing import choice_make, choices_settle
from desk.models import ReviewItem, Verdict
from desk.taking import item_open
from ethical_lens.policy import Policy
from ethical_lens.results import PictureAction
from jobs.models import Job
from moderation.appeals import appeals_open
from policies.drafts import draft_make
from review_cases import judged_job, make_user

pytestmark = [pytest.mark.services, pytest.mark.django_db]

PAGES = {
    "desk:home": 24,
    "desk:agreement": 12,
    "admin:desk_reviewitem_changelist": 14,
    "admin:desk_choice_changelist": 14,
    "admin:moderation_appeal_changelist": 14,
    "admin:policies_policydraft_changelist": 16,
    "admin:policies_policyshadow_changelist": 14,
    "policies:what_if": 14,
}
"""The most statements of each."""


def work(boss: User) -> Job:
    """Pictures that wait, one that was decided and appealed against, a draft."""
    job = judged_job(PictureAction.REVIEW, PictureAction.REVIEW)
    item = job.review_items.all()[0]
    moderator = make_user(group="Moderators")
    item_open(item_id=item.pk, user=moderator)
    choice_make(item_id=item.pk, user=moderator, verdict=Verdict.BLOCK, explanation="No.")
    ReviewItem.objects.filter(pk=item.pk).update(settles_at=timezone.now())
    choices_settle()
    appealed = judged_job(PictureAction.BLOCK)
    appeals_open(job_id=appealed.id, statement="It is a museum piece.")
    draft_make(policy=job.policy_version.policy, document=Policy(), note="calm", author=boss)
    return job


def test_no_page_costs_more_for_more_rows() -> None:
    boss, client = make_user(is_superuser=True), Client()
    client.force_login(boss)
    seen: dict[str, list[int]] = {}
    for rows in (1, 5):
        for _ in range(rows):
            work(boss)
        for name in PAGES:
            client.get(reverse(name))
            with CaptureQueriesContext(connection) as statements:
                assert client.get(reverse(name)).status_code == 200
            seen.setdefault(name, []).append(len(statements))
    grew = {name: costs for name, costs in seen.items() if costs[0] != costs[1]}
    assert not grew
    assert {name: costs[0] for name, costs in seen.items() if costs[0] > PAGES[name]} == {}
