"""From draft to version: told what is wrong, published by somebody else, compared, rolled back."""

import json
from typing import Any

import pytest
from django.conf import settings
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.urls import reverse

from accounts.models import User
from ethical_lens.policy import Policy
from ethical_lens.text.choose import _ALIGNERS
from factories import make_tenant
from moderation.models import PolicyVersion
from policies.documents import ALIGNERS
from policies.drafts import draft_edit, draft_make, draft_publish
from policies.errors import DraftPublished, SecondPersonNeeded
from policies.models import PolicyDraft
from review_cases import make_user

pytestmark = [pytest.mark.services, pytest.mark.django_db]

SEES = ("policies.view_policydraft", "moderation.view_policyversion")
AUTHOR = ("policies.author_policy", *SEES)
PUBLISHER = ("policies.publish_policy", *SEES)


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def version() -> PolicyVersion:
    return make_tenant().policy_version


def make_draft(version: PolicyVersion, author: User, **changes: Any) -> PolicyDraft:
    return draft_make(
        policy=version.policy, document=Policy(**changes), note="one round", author=author,
        based_on=version,
    )  # fmt: skip


def add(client: Client, version: PolicyVersion, document: Any) -> Any:
    body = {"policy": version.policy_id, "note": "one round", "document": json.dumps(document)}
    return client.post(reverse("admin:policies_policydraft_add"), body)


def test_a_version_is_copied_edited_and_published_by_a_second_person(
    version: PolicyVersion,
) -> None:
    author, second = make_user(*AUTHOR), make_user(*PUBLISHER)
    writing = signed_in(author)
    copied = writing.post(reverse("policies:copy", args=[version.pk]), follow=True)
    draft = PolicyDraft.objects.get(policy=version.policy)
    assert (draft.parsed, draft.based_on) == (version.parsed, version)
    assert "nothing is judged by it" in copied.content.decode()

    change = reverse("admin:policies_policydraft_change", args=[draft.pk])
    document = Policy(rounds=1).model_dump(mode="json")
    written = writing.post(change, {"note": "one round", "document": json.dumps(document)})
    assert written.status_code == 302
    answer = signed_in(second).post(reverse("policies:publish", args=[draft.pk]), follow=True)

    new = version.policy.versions.get(number=2)
    assert (new.parsed, new.created_by) == (Policy(rounds=1), author)
    assert f"Published as {new}" in answer.content.decode()
    assert f"Written by {author}; published by {second}" in answer.content.decode()
    draft.refresh_from_db()
    assert (draft.published_as, draft.published_by) == (new, second)


def test_who_wrote_a_draft_does_not_publish_it(version: PolicyVersion) -> None:
    first, second = make_user(*AUTHOR, *PUBLISHER), make_user(*AUTHOR, *PUBLISHER)
    draft = make_draft(version, first)
    draft_edit(draft_id=draft.pk, document=Policy(rounds=1), note="edited", author=second)

    for author in (first, second):
        answer = signed_in(author).post(reverse("policies:publish", args=[draft.pk]), follow=True)
        assert "you wrote this draft: somebody else must publish it" in answer.content.decode()
    assert version.policy.versions.count() == 1


def test_four_eyes_can_be_switched_off(
    version: PolicyVersion, monkeypatch: pytest.MonkeyPatch
) -> None:
    author = make_user(*AUTHOR, *PUBLISHER)
    draft = make_draft(version, author)
    with pytest.raises(SecondPersonNeeded):
        draft_publish(draft_id=draft.pk, publisher=author)

    off = settings.ENVIRONMENT.model_copy(update={"policy_four_eyes": False})
    monkeypatch.setattr(settings, "ENVIRONMENT", off)

    assert draft_publish(draft_id=draft.pk, publisher=author).number == 2


def test_a_published_draft_and_its_version_never_change(version: PolicyVersion) -> None:
    author, second = make_user(*AUTHOR), make_user(*PUBLISHER)
    draft = make_draft(version, author)
    new = draft_publish(draft_id=draft.pk, publisher=second)

    with pytest.raises(DraftPublished, match="copy it to go on"):
        draft_edit(draft_id=draft.pk, document=Policy(rounds=1), note="late", author=author)
    with pytest.raises(DraftPublished):
        draft_publish(draft_id=draft.pk, publisher=make_user())
    change = reverse("admin:policies_policydraft_change", args=[draft.pk])
    assert signed_in(author).post(change, {"note": "late", "document": "{}"}).status_code == 403
    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("UPDATE moderation_policyversion SET number = 9 WHERE id = %s", [new.pk])


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"rounds": 9}, "rounds: Input should be less than or equal to 2 (it is 9)"),
        ({"concepts": {}}, "no rule for nsfw"),
        ({"surprise": 1}, "surprise: Extra inputs are not permitted: take it out; the fields are"),
        ({"labels": {"K3": "allow"}}, "labels.K3: K3 is not fit for generation; choose review or"),
        ({"labels": {"K1": "burn"}}, "labels.K1: Input should be"),
        ({"factors": {"P3": {}}}, "factors.P3.action: it is missing: add it"),
        ({"aligners": ["oracle"]}, "is not known here; name one of rules, llm, local-llm"),
        ({"models": ["sdxl"]}, "is not known here; name one of mini"),
        ({"aligners": ["\x00"]}, "null character"),
        ({"aligners": ["\ud800"]}, "cannot be stored"),
        ({"blur": {"radius": float("nan")}}, "cannot be stored"),
    ],
    ids=str,
)
def test_what_is_wrong_with_a_document_is_told_field_by_field(
    change: dict[str, Any], complaint: str, version: PolicyVersion
) -> None:
    client = signed_in(make_user(*AUTHOR))

    answer = add(client, version, Policy().model_dump(mode="json") | change)

    assert answer.status_code == 200
    assert complaint in answer.content.decode()
    assert not PolicyDraft.objects.filter(policy=version.policy).exists()


def test_the_form_knows_every_aligner_of_the_library() -> None:
    assert set(ALIGNERS) == set(_ALIGNERS)


def test_a_new_draft_starts_from_the_newest_version(version: PolicyVersion) -> None:
    client = signed_in(make_user(*AUTHOR))
    address = reverse("admin:policies_policydraft_add")

    page = client.get(address, {"policy": str(version.policy_id)}).content.decode()

    assert "review_rate" in page, "fields that the version is older than stand with their default"
    assert client.get(address, {"policy": "nonsense"}).status_code == 200


def test_differences_are_told_by_field(version: PolicyVersion) -> None:
    author = make_user(*AUTHOR)
    draft = make_draft(version, author, rounds=1, left_alone=("king",))
    address = reverse("policies:differences")

    page = signed_in(author).get(address, {"before": version.pk, "after": draft.pk})

    content = page.content.decode()
    fields = {one.field: (one.before, one.after) for one in page.context["differences"]}
    assert fields == {"rounds": ("2", "1"), "left_alone": ("none", "king")}
    assert "<del>2</del>" in content
    assert "<ins>1</ins>" in content
    same = signed_in(author).get(address, {"before": version.pk, "after": version.pk})
    assert "They say the same." in same.content.decode()
    moderator = signed_in(make_user(group="Moderators"))
    assert moderator.get(address, {"before": version.pk, "after": draft.pk}).status_code == 404
    assert moderator.get(address, {"before": version.pk, "after": version.pk}).status_code == 200
    assert moderator.get(address, {"before": "x"}).status_code == 404


def test_an_older_document_is_published_again(version: PolicyVersion) -> None:
    draft = make_draft(version, make_user(), rounds=1)
    publisher = make_user(*PUBLISHER)
    draft_publish(draft_id=draft.pk, publisher=publisher)

    page = signed_in(publisher).get(
        reverse("admin:moderation_policyversion_change", args=[version.pk])
    )
    assert "Roll back to this" in page.content.decode()
    signed_in(publisher).post(reverse("policies:roll_back", args=[version.pk]))

    newest = version.policy.versions.get(number=3)
    assert (newest.parsed, newest.created_by) == (version.parsed, publisher)


@pytest.mark.parametrize(
    ("name", "allowed"),
    [
        ("copy", "policies.author_policy"),
        ("publish", "policies.publish_policy"),
        ("roll_back", "policies.publish_policy"),
        ("shadow_start", "policies.author_policy"),
    ],
)
def test_each_act_needs_its_permission(name: str, allowed: str, version: PolicyVersion) -> None:
    draft = make_draft(version, make_user())
    subject = draft if name in {"publish", "shadow_start"} else version
    address = reverse(f"policies:{name}", args=[subject.pk])
    others = {
        f"policies.{one}"
        for one in ("author_policy", "publish_policy", "assign_policy", "run_what_if")
    } - {allowed}

    assert signed_in(make_user(*others)).post(address).status_code == 403
    assert signed_in(make_user(allowed)).get(address).status_code == 405
    assert signed_in(make_user(allowed)).post(address).status_code == 302
    assert Client().post(address).status_code == 302, "to the login"
    assert "/login/" in Client().post(address)["Location"]


def test_versions_are_made_of_drafts_alone(version: PolicyVersion) -> None:
    boss = signed_in(make_user(is_superuser=True))

    assert boss.get(reverse("admin:moderation_policyversion_add")).status_code == 403
    change = reverse("admin:moderation_policyversion_change", args=[version.pk])
    assert boss.post(change, {}).status_code == 403
    page = boss.get(change).content.decode()
    for offered in ("Copy into a draft", "What if?", "Give it to a tenant", "Attach a report"):
        assert offered in page
    assert "Roll back" not in page, "it is the newest"
