"""The pages of the desk, as a moderator clicks through them."""

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from desk.choosing import choices_settle
from desk.diffs import words_diff
from desk.models import Category, ReviewItem
from desk.pages import items_open_to
from desk.reviewers import settings_of
from desk.taking import item_open
from ethical_lens.results import PictureAction
from factories import make_aligned_job
from jobs.exhaustion import stage_give_up
from jobs.models import Picture
from jobs.storage import quarantine_put
from moderation.models import RawPictureView
from policies.retention import job_erase
from review_cases import judged_job, make_user, png, release_run, reviewed_picture
from review_queues import fill

pytestmark = [pytest.mark.services, pytest.mark.django_db]


@pytest.fixture
def moderator() -> User:
    return make_user(group="Moderators")


@pytest.fixture
def client(moderator: User) -> Client:
    client = Client()
    client.force_login(moderator)
    ReviewItem.objects.filter(closed_at=None).update(closed_at=timezone.now())
    return client


def url(name: str, *of: object) -> str:
    return reverse(f"desk:{name}", args=of)


def take(client: Client) -> ReviewItem:
    return ReviewItem.objects.get(pk=client.post(url("take"))["Location"].split("/")[-2])


def answer(item: ReviewItem, verdict: str = "block", explanation: str = "No.") -> dict[str, str]:
    """What the form of the page sends."""
    shown = str(item.picture.current_id) if item.picture else ""
    return {"verdict": verdict, "explanation": explanation, "shown": shown}


def test_take_decide_and_the_next_comes_by_itself(client: Client) -> None:
    job = judged_job(PictureAction.REVIEW, PictureAction.REVIEW)
    item = take(client)
    page = client.get(url("item", item.pk)).content.decode()
    for shown in ("Release <kbd>R</kbd>", "Block <kbd>B</kbd>", "<kbd>E</kbd>", "<kbd>Space</kbd>",
                  "0.83", "of 0.70", "smiling", job.tenant.name):  # fmt: skip
        assert shown in page, shown
    assert f'name="shown" value="{answer(item)["shown"]}"' in page
    decided = client.post(url("decide", item.pk), answer(item, explanation="It shows it."))
    following = ReviewItem.objects.get(pk=decided["Location"].split("/")[-2])
    assert following != item
    page = client.get(url("item", following.pk)).content.decode()
    assert "Decided just now" in page
    undo = url("undo", item.choices.get().pk)
    assert undo in page
    assert client.post(undo)["Location"] == url("item", item.pk)
    item.refresh_from_db()
    assert (item.settles_at, item.choices.get().undone_at is not None) == (None, True)


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        ({"verdict": "block", "explanation": " "}, "Say why"),
        ({"verdict": "block", "explanation": "nul\x00"}, "Null characters are not allowed"),
        ({"verdict": "block", "explanation": "x" * 2001}, "at most 2000 characters"),
        ({"verdict": "maybe", "explanation": "so"}, "maybe is not one of the available choices"),
    ],
    ids=["no reason", "a null character", "too long", "no such verdict"],
)
def test_what_is_sent_amiss_is_said_and_nothing_chosen(
    sent: dict[str, str], said: str, client: Client
) -> None:
    reviewed_picture()
    item = take(client)
    page = client.post(url("decide", item.pk), answer(item) | sent)
    assert page.status_code == 409
    assert said in page.content.decode()
    assert not item.choices.exists()


def test_what_was_painted_after_the_page_was_shown_is_not_decided_by_it(client: Client) -> None:
    picture = reviewed_picture()
    item = take(client)
    sent = answer(item, "allow", "All is <well> here.") | {"prompt": "a harbour at dusk"}
    stored = quarantine_put(job_id=picture.job_id, picture_id=picture.id, round=2, png=png(9))
    newer = picture.versions.create(
        round=2, kind="painted", prompt="x", key=stored.key, sha256=stored.sha256, size=stored.size
    )
    Picture.objects.filter(pk=picture.pk).update(current=newer)
    page = client.post(url("decide", item.pk), sent)
    assert page.status_code == 409
    told = page.content.decode()
    for kept in ("another by now", "All is &lt;well&gt; here.", "a harbour at dusk", str(newer.pk)):
        assert kept in told, kept
    assert not item.choices.exists()
    untold = client.post(url("decide", item.pk), sent | {"shown": ""})
    assert "load the page again" in untold.content.decode()
    assert not item.choices.exists()
    client.post(url("decide", item.pk), sent | {"shown": str(newer.pk)})
    assert item.choices.get().version == newer


@pytest.mark.parametrize("group", ["Moderators", "Leads"])
def test_a_page_offers_what_its_reader_may_decide(group: str) -> None:
    user = make_user(group=group)
    picture = reviewed_picture()
    waits = picture.review_items
    assert list(items_open_to(user, picture=picture)) == [waits.get()]
    waits.update(for_lead=True)
    assert items_open_to(user, picture=picture).exists() is (group == "Leads")
    waits.update(for_lead=False, closed_to=[user.pk])
    assert not items_open_to(user, picture=picture).exists()
    assert items_open_to(make_user(group=group), picture=picture).exists()
    waits.update(closed_to=[], settles_at=timezone.now())
    assert not items_open_to(user, picture=picture).exists(), "it was just decided"


def test_a_choice_needs_the_csrf_token(moderator: User) -> None:
    item = reviewed_picture().review_items.get()
    client = Client(enforce_csrf_checks=True)
    client.force_login(moderator)
    item_open(item_id=item.pk, user=moderator)
    sent = {"verdict": "allow", "explanation": "x"}
    assert client.post(url("decide", item.pk), sent).status_code == 403
    assert not item.choices.exists()


def test_what_is_decided_is_found_beside_the_same_prompt_and_the_same_tenant(
    client: Client,
) -> None:
    job = judged_job(PictureAction.REVIEW, prompt="a quiet harbour")
    item = take(client)
    client.post(url("decide", item.pk), answer(item))
    ReviewItem.objects.filter(pk=item.pk).update(settles_at=timezone.now())
    choices_settle()
    judged_job(PictureAction.REVIEW, prompt="a quiet harbour")
    page = client.get(url("item", take(client).pk))
    assert [earlier.pk for earlier in page.context["same_prompt"]] == [item.pk]
    assert list(page.context["of_tenant"]) == [], "another tenant"
    again = judged_job(PictureAction.REVIEW, tenant=job.tenant).review_items.get()
    page = client.get(url("item", again.pk))
    assert [earlier.pk for earlier in page.context["of_tenant"]] == [item.pk]


def test_the_prompt_is_shown_as_it_was_changed(client: Client) -> None:
    job = make_aligned_job("a bloody doctor in an office")
    stage_give_up(job=job, run=job.stages.get(stage="align"))
    item = job.review_items.get()
    page = client.get(url("item", item.pk)).content.decode()
    assert re.search(r"<del>[^<]*bloody[^<]*</del>", page)
    assert "<ins>" in page


def test_a_diff_gives_both_texts_back() -> None:
    before, after = "a bloody doctor, in an office", "a kind  doctor in an old office"
    pieces = words_diff(before, after)
    assert "".join(piece.text for piece in pieces if not piece.added) == before
    assert "".join(piece.text for piece in pieces if not piece.removed) == after
    assert any("bloody" in piece.text and piece.removed for piece in pieces)


def test_an_original_is_only_had_by_a_recorded_post(client: Client, moderator: User) -> None:
    picture = reviewed_picture()
    page = client.get(url("item", take(client).pk)).content.decode()
    raw = reverse("moderation:picture_raw", args=[picture.pk])
    assert f'data-raw="{raw}"' in page
    assert not RawPictureView.objects.filter(user=moderator).exists()
    assert client.post(raw, {"version": picture.current_id}).status_code == 200
    assert RawPictureView.objects.filter(user=moderator, picture=picture).count() == 1


def test_settings_are_ones_own(client: Client, moderator: User) -> None:
    client.post(url("settings"), {"left_out": ["nude", "nsfw"], "colours": "on"})
    assert settings_of(moderator).left_out == ["nude", "nsfw"]
    assert settings_of(moderator).colours
    reviewed_picture()
    assert client.post(url("take"))["Location"] == url("home"), "0.83 nsfw is left out"
    assert "left out" in client.get(url("home")).content.decode()
    client.post(url("settings"), {"left_out": ["horror"]})
    assert settings_of(moderator).left_out == ["nude", "nsfw"]


def test_previews_keep_their_colours_only_for_who_wants_them(
    client: Client, moderator: User
) -> None:
    picture = reviewed_picture()
    preview = reverse("moderation:picture_preview", args=[picture.pk])
    grey = client.get(preview).content
    client.post(url("settings"), {"colours": "on"})
    coloured = client.get(preview).content
    assert grey[25] == 0, "a PNG of greys"
    assert coloured[25] == 2, "a PNG of colours"


@pytest.mark.parametrize("name", ["item", "open", "decide", "hand_back"])
def test_an_item_of_a_queue_that_is_not_ones_own_is_not_found(name: str, client: Client) -> None:
    item = reviewed_picture().job.review_items.get()
    stranger = Client()
    stranger.force_login(make_user("desk.view_reviewitem", "desk.review_text", "moderation.decide"))
    ask: Callable[..., object] = stranger.get if name == "item" else stranger.post
    assert ask(url(name, item.pk)).status_code == 404  # type: ignore[attr-defined]
    assert client.get(url("item", item.pk)).status_code == 200


def test_an_auditor_reads_the_items_of_every_queue_and_decides_none() -> None:
    auditor, job = Client(), make_aligned_job("a doctor in an office")
    auditor.force_login(make_user(group="Auditors"))
    stage_give_up(job=job, run=job.stages.get(stage="align"))
    items = [reviewed_picture().job.review_items.get(), job.review_items.get()]
    assert [item.category for item in items] == ["nsfw", "text"]
    for item in items:
        row = auditor.get(reverse("admin:desk_reviewitem_change", args=[item.pk]))
        assert url("item", item.pk) in row.content.decode(), "the list leads to the page"
        page = auditor.get(url("item", item.pk))
        assert page.status_code == 200
        assert "Take this item" not in page.content.decode()
        assert "data-raw" not in page.content.decode()
        assert auditor.post(url("open", item.pk)).status_code == 403
    home = auditor.get(url("home")).content.decode()
    assert url("take") not in home
    assert url("settings") not in home


def test_what_was_erased_is_said_to_be_and_is_not_asked_again(client: Client) -> None:
    picture = reviewed_picture()
    item = take(client)
    client.post(url("decide", item.pk), answer(item))
    ReviewItem.objects.filter(pk=item.pk).update(settles_at=timezone.now())
    choices_settle()
    release_run(picture.job)
    lead = Client()
    lead.force_login(make_user(group="Leads"))
    preview = reverse("moderation:picture_preview", args=[picture.pk])
    page = lead.get(url("item", item.pk)).content.decode()
    assert all(shown in page for shown in (preview, "data-raw", url("golden", item.pk)))

    assert job_erase(job_id=picture.job_id)
    page = lead.get(url("item", item.pk)).content.decode()
    assert not any(shown in page for shown in (preview, "data-raw", url("golden", item.pk)))
    assert page.count(">erased</div>") == 2, "picture and prompt"
    assert "[erased]" not in page
    asked = lead.post(url("golden", item.pk), follow=True).content.decode()
    assert "Only a decided picture that is not erased" in asked
    assert list(ReviewItem.objects.filter(picture=picture)) == [item]


@pytest.mark.parametrize(
    "permissions", [[], ["moderation.decide"], ["desk.view_reviewitem", "desk.review_nsfw"]]
)
def test_without_the_right_nothing_is_taken_or_decided(permissions: list[str]) -> None:
    item = reviewed_picture().job.review_items.get()
    client = Client()
    client.force_login(make_user(*permissions))
    body = {"verdict": "block", "explanation": "mine"}
    assert client.post(url("take")).status_code == 403
    assert client.post(url("decide", item.pk), body).status_code == 403
    assert client.get(url("take")).status_code == 405


def test_a_choice_of_somebody_else_is_not_found(client: Client, moderator: User) -> None:
    reviewed_picture()
    item = take(client)
    client.post(url("decide", item.pk), answer(item))
    other = Client()
    other.force_login(make_user(group="Moderators"))
    assert other.post(url("undo", item.choices.get().pk)).status_code == 404


def rows_read(plan: dict[str, Any]) -> int:
    """The most rows that a part of the plan goes through."""
    gone = plan.get("Rows Removed by Filter", 0) + plan.get("Rows Removed by Index Recheck", 0)
    own = int((plan["Actual Rows"] + gone) * plan["Actual Loops"])
    return max([own, *(rows_read(child) for child in plan.get("Plans", []))])


def test_a_long_queue_costs_the_page_nothing(client: Client) -> None:
    statements = []
    for count in (100, 20_000):
        ReviewItem.objects.filter(closed_at=None).update(
            closed_at=timezone.now(), holder=None, held_until=None
        )
        fill(count)
        reviewed_picture()
        with CaptureQueriesContext(connection) as taking:
            item = take(client)
        with CaptureQueriesContext(connection) as opening:
            assert client.get(url("item", item.pk)).status_code == 200
        statements.append((len(taking), len(opening)))
        with connection.cursor() as cursor:
            for query in opening.captured_queries:
                if not query["sql"].startswith("SELECT") or count < 1000:
                    continue
                cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {query['sql']}")
                shown = cursor.fetchone()[0]
                plan = (json.loads(shown) if isinstance(shown, str) else shown)[0]["Plan"]
                assert rows_read(plan) < 500, (query["sql"], plan)
    assert statements[0] == statements[1]
    assert statements[0][1] <= 40, statements


def test_every_category_has_its_right() -> None:
    user = make_user(group="Moderators")
    assert all(user.has_perm(f"desk.review_{category}") for category in Category.values)
