"""A draft written field by field: what stands in the fields becomes the document, and what is wrong
is told at its field."""

import json
from typing import Any

import pytest
from django.forms import ChoiceField
from django.test import Client
from django.urls import reverse

from accounts.models import User
from ethical_lens.policy import AttributePools, FactorRule, HeadAction, Policy
from ethical_lens.results import Attribute, Concept, Factor, Label, TextAction
from factories import make_tenant
from moderation.models import PolicyVersion
from policies.drafts import draft_edit, draft_make
from policies.models import PolicyDraft
from policies.parts import PARTS, values_of, written
from review_cases import make_user

pytestmark = [pytest.mark.services, pytest.mark.django_db]

AUTHOR = ("policies.author_policy", "policies.view_policydraft")
RICH = Policy(
    pools=AttributePools(gender=("male", "female", "non-binary")),
    targets={"gender": {"male": 40, "female": 40, "non-binary": 20}},
    factors={Factor.VIOLENCE: FactorRule(threshold=0.4, action=TextAction.BLOCK)},
    aligners=("llm", "rules"),
    when_aligner_fails={"llm": "review"},
    left_alone=("king", "queen"),
    diversify=frozenset({Attribute.RACE}),
    review_rate=0.05,
    retention_days=30,
    edit_faces=True,
)


@pytest.fixture
def version() -> PolicyVersion:
    return make_tenant().policy_version


@pytest.fixture
def author(client: Client) -> User:
    user = make_user(*AUTHOR)
    client.force_login(user)
    return user


def shown(page: Any) -> dict[str, Any]:
    """What a browser would send of the page's form: of a choice that shows nothing, the first."""
    form = page.context["adminform"].form
    values = {bound.name: bound.value() for bound in form}
    for bound in form:
        if type(bound.field) is ChoiceField and not values[bound.name]:
            values[bound.name] = bound.field.choices[0][0]
    return {name: value for name, value in values.items() if value not in (None, False)}


def draft_of(version: PolicyVersion, author: User, policy: Policy = RICH) -> PolicyDraft:
    return draft_make(policy=version.policy, document=policy, note="rich", author=author)


def change(draft: PolicyDraft) -> str:
    return reverse("admin:policies_policydraft_change", args=[draft.pk])


@pytest.mark.parametrize("policy", [Policy(), RICH])
def test_the_fields_show_a_document_and_give_it_back(policy: Policy) -> None:
    document = policy.model_dump(mode="json")
    assert Policy.model_validate(written(document, values_of(document))) == policy


def test_what_is_sent_as_it_was_shown_changes_nothing(
    client: Client, version: PolicyVersion, author: User
) -> None:
    draft = draft_of(version, author)
    body = shown(client.get(change(draft)))
    assert body["written_as"] == "fields"
    assert body["targets__gender"] == "male 40, female 40, non-binary 20"
    assert client.post(change(draft), body).status_code == 302
    draft.refresh_from_db()
    assert draft.parsed == RICH


def test_labels_that_a_document_does_not_name_stay_as_published(
    client: Client, version: PolicyVersion, author: User
) -> None:
    some = Policy.model_validate({"labels": {"K1": "review"}})
    draft = draft_of(version, author, some)
    assert client.post(change(draft), shown(client.get(change(draft)))).status_code == 302
    draft.refresh_from_db()
    assert draft.parsed == some
    assert draft.parsed.label_does(Label.K3) is TextAction.BLOCK


def test_a_draft_is_written_in_its_fields(
    client: Client, version: PolicyVersion, author: User
) -> None:
    add = reverse("admin:policies_policydraft_add") + f"?policy={version.policy_id}"
    body = shown(client.get(add)) | {
        "note": "stricter", "concepts__nude__threshold": "0.45", "concepts__nude__action": "review",
        "factors__P3__threshold": "0.5", "factors__P3__action": "block", "labels__K1": "review",
        "targets__gender": "female 60%, male 40", "aligners": "llm, rules",
        "when_aligner_fails__llm": "block", "limits__pictures": "4", "review_rate": "0.1",
        "retention_days": "14", "left_alone": "King , queen",
    }  # fmt: skip

    answer = client.post(add, body)

    assert answer.status_code == 302, answer.context["adminform"].form.errors
    policy = PolicyDraft.objects.get(policy=version.policy).parsed
    assert policy.concepts[Concept.NUDE].threshold == 0.45
    assert policy.concepts[Concept.NUDE].does is HeadAction.REVIEW
    assert policy.concepts[Concept.NSFW] == Policy().concepts[Concept.NSFW]
    assert policy.factors == {Factor.VIOLENCE: FactorRule(threshold=0.5, action=TextAction.BLOCK)}
    assert policy.label_does(Label.K1) is TextAction.REVIEW
    assert policy.targets.gender == {"female": 60, "male": 40}
    assert (policy.aligners, policy.failure_of("llm")) == (("llm", "rules"), "block")
    assert (policy.limits.pictures, policy.review_rate, policy.retention_days) == (4, 0.1, 14)
    assert policy.left_alone == ("king", "queen")
    assert policy.diversify == frozenset(Attribute)


def test_what_was_typed_as_json_stays_where_something_else_is_wrong(
    client: Client, version: PolicyVersion, author: User
) -> None:
    draft = draft_of(version, author, Policy())
    page = reverse("admin:policies_policydraft_change", args=[draft.pk])
    body = shown(client.get(page))
    typed = body["document"].replace('"radius": 20', '"radius":   22')
    assert typed != body["document"]
    answer = client.post(page, body | {"document": typed, "review_rate": "2"})
    form = answer.context["adminform"].form
    assert list(form.errors) == ["review_rate"]
    assert form["document"].value() == typed, "letter by letter"
    assert client.post(page, body | {"document": typed}).status_code == 302
    draft.refresh_from_db()
    assert draft.parsed.blur.radius == 22


def test_what_was_typed_as_json_is_not_dropped_for_its_field(
    client: Client, version: PolicyVersion, author: User
) -> None:
    draft = draft_of(version, author, Policy())
    page = reverse("admin:policies_policydraft_change", args=[draft.pk])
    body = shown(client.get(page))
    typed = json.loads(body["document"])
    typed["concepts"]["nude"]["threshold"] = 0.33
    body |= {"document": json.dumps(typed)}
    answer = client.post(page, body)
    errors = answer.context["adminform"].form.errors
    assert list(errors) == ["concepts__nude__threshold"]
    assert "was changed in the JSON" in str(errors)
    for also in ({"written_as": "json"}, {"concepts__nude__threshold": "0.33"}):
        draft_edit(draft_id=draft.pk, document=Policy(), note="again", author=author)
        assert client.post(page, body | also).status_code == 302
        draft.refresh_from_db()
        assert draft.parsed.concepts[Concept.NUDE].threshold == 0.33


@pytest.mark.parametrize(
    ("field", "value", "complaint"),
    [
        ("concepts__nude__threshold", "1.5", "less than or equal to 1.01"),
        ("concepts__nude__threshold", "high", "Enter a number"),
        ("concepts__nude__threshold", "", "it is missing"),
        ("concepts__nude__action", "hide", "not one of the available choices"),
        ("factors__P3__threshold", "0.5", "it is missing: add it"),
        ("labels__K3", "allow", "not one of the available choices"),
        ("targets__gender", "female, male 40", "is no share"),
        ("targets__gender", "female 60, male 30", "the shares make 90 percent"),
        ("targets__gender", "female 60, dwarf 40", "exactly the values of the pool"),
        ("aligners", "rules, oracle", "'oracle' is not known here"),
        ("when_aligner_fails__llm", "block", "it is not among the aligners"),
        ("models", "nobody/knows", "is not known here"),
        ("limits__pictures", "0", "greater than or equal to 1"),
        ("review_rate", "2", "less than or equal to 1"),
        ("review_band", "0.6", "less than or equal to 0.5"),
        ("retention_days", "0", "greater than or equal to 1"),
    ],
)
def test_what_is_wrong_is_told_at_its_field(
    client: Client, version: PolicyVersion, author: User, field: str, value: str, complaint: str
) -> None:
    draft = draft_of(version, author, Policy())
    page = client.post(change(draft), shown(client.get(change(draft))) | {field: value})
    errors = page.context["adminform"].form.errors
    told = {"factors__P3__threshold": "factors__P3__action"}.get(field, field)
    assert list(errors) == [told]
    assert complaint in errors[told][0]
    assert complaint.split("'")[-1] in page.content.decode()
    draft.refresh_from_db()
    assert draft.parsed == Policy()


def test_json_remains_and_then_the_fields_count_for_nothing(
    client: Client, version: PolicyVersion, author: User
) -> None:
    draft = draft_of(version, author)
    document = Policy(rounds=1).model_dump(mode="json")
    body = shown(client.get(change(draft))) | {"document": json.dumps(document)}
    assert client.post(change(draft), body | {"written_as": "json"}).status_code == 302
    draft.refresh_from_db()
    assert draft.parsed == Policy(rounds=1)
    refused = client.post(change(draft), body | {"written_as": "json", "document": '{"x": 1}'})
    assert "take it out" in refused.context["adminform"].form.errors["document"][0]


def test_every_part_of_a_document_can_be_written_in_a_field_but_pools_and_blur() -> None:
    in_fields = {part.place[0] for part in PARTS}
    assert set(Policy.model_fields) - in_fields == {"pools", "blur"}
    assert {part.place[1] for part in PARTS if part.place[0] == "concepts"} == set(Concept)
    assert {part.place[1] for part in PARTS if part.place[0] == "factors"} == set(Factor)
