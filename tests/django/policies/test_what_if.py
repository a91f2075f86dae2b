"""What a policy would have decided: agreed with `decide` picture by picture, shown and exported."""

import csv
import io
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import Tenant
from benchmarks.what_if.fill import fill
from ethical_lens.decide import decide_picture, decide_text
from ethical_lens.policy import DEFAULT_CONCEPTS, FactorRule, HeadAction, Policy
from ethical_lens.results import (
    AttributeDraw,
    Concept,
    Factor,
    Label,
    PictureAction,
    PictureVerdict,
    ReadFace,
    TextAction,
    TextVerdict,
)
from factories import make_tenant
from jobs.models import Picture
from moderation.decisions import decision_record
from moderation.models import Decision, DecisionAction, DecisionStage
from policies.drafts import draft_make, draft_publish
from policies.judging import judged
from policies.stored import Selection
from policies.what_if import CSV_HEADER, what_if, what_if_rows
from review_cases import judged_job, make_user

pytestmark = [pytest.mark.services, pytest.mark.django_db]

PICTURES = 600


def acting(**changes: dict[str, Any]) -> Policy:
    rules = {
        Concept(name): DEFAULT_CONCEPTS[Concept(name)].model_copy(update=change)
        for name, change in changes.items()
    }
    return Policy(concepts=DEFAULT_CONCEPTS | rules)


POLICIES = {
    "published": Policy(),
    "stricter": acting(nude={"threshold": 0.3}, public={"threshold": 0.2}),
    "milder": acting(nude={"threshold": 0.95}, nsfw={"action": HeadAction.ALLOW}),
    "one round": Policy(rounds=1),
    "other actions": acting(
        nude={"action": HeadAction.BLOCK}, politic={"action": HeadAction.REVIEW},
        culture={"action": HeadAction.BLUR}, public={"action": HeadAction.REPAINT},
    ),
    "prompts": Policy(
        factors={Factor.VIOLENCE: FactorRule(threshold=0.6, action=TextAction.BLOCK)},
        labels={Label.K1: TextAction.REVIEW},
    ),
    "a band to look at": Policy(review_band=0.2),
    "a band above": Policy(review_band_above=0.15),
    "both bands": Policy(review_band=0.1, review_band_above=0.3),
}  # fmt: skip


def filled(count: int = PICTURES) -> Tenant:
    tenant = make_tenant()
    fill(tenant, count, timezone.now() - timedelta(hours=1))
    return tenant


def by_decide(policy: Policy, picture: Picture, looks: list[Decision]) -> PictureVerdict:
    """The library's own verdict, look by look, as far as the same way was gone."""
    text = TextVerdict.model_validate(picture.job.text_verdict)
    young = text.somebody_under_twenty([AttributeDraw.model_validate(d) for d in picture.draws])
    for index, look in enumerate(looks):
        blurred = index > 0 and looks[index - 1].round == look.round
        verdict = decide_picture(
            {Concept(name): score for name, score in look.scores.items()}, policy,
            round=look.round, repaired=blurred, under_twenty=young,
            faces=[ReadFace.model_validate(face) for face in look.faces],
        )  # fmt: skip
        rest = looks[index + 1 :]
        same_round = bool(rest) and rest[0].round == look.round
        if verdict.action is PictureAction.BLUR and same_round:
            continue
        if verdict.action is PictureAction.REPAINT and rest and not same_round:
            continue
        return verdict
    raise AssertionError("no look")


@pytest.mark.parametrize("name", POLICIES)
def test_it_agrees_with_decide_on_every_picture_and_prompt(name: str) -> None:
    policy, tenant = POLICIES[name], filled()
    found = {
        (one.job, one.picture): (one.then, one.then_reason)
        for one in judged(policy, Selection(tenant=tenant.pk))
    }
    looks: dict[Any, list[Decision]] = {}
    for look in Decision.objects.filter(tenant=tenant, stage="scrutinise").order_by("id"):
        looks.setdefault(look.picture_id, []).append(look)
    prompts = {one.job_id: one for one in Decision.objects.filter(tenant=tenant, stage="align")}
    assert len(found) == 2 * PICTURES

    for picture in Picture.objects.filter(job__tenant=tenant).select_related("job"):
        prompt = prompts[picture.job_id]
        text = TextVerdict(
            labels=frozenset(map(Label, prompt.labels)),
            factors=frozenset(map(Factor, prompt.factors)),
            factor_scores={Factor(f): prompt.scores[f] for f in prompt.factors},
            score=0.5, explanation="x", prompt="x",
        )  # fmt: skip
        decision = decide_text(text, policy)
        assert found[picture.job_id, None] == (decision.action, decision.reason)
        if decision.action in {TextAction.BLOCK, TextAction.REVIEW}:
            expected = (decision.action.value, decision.reason)
        else:
            verdict = by_decide(policy, picture, looks[picture.pk])
            expected = (verdict.action.value, verdict.reason)
        assert found[picture.job_id, picture.pk] == expected


def test_under_its_own_policy_nothing_flips() -> None:
    tenant = filled()
    comparison = what_if(Policy(), days=1, tenant=tenant.pk)

    first = {
        (one.job, one.picture) for one in judged(Policy(), Selection(tenant=tenant.pk)) if one.flips
    }
    # The fill's second looks are blocked by nude and nsfw alone.
    assert comparison.flips("prompt") == 0
    assert all(Decision.objects.filter(picture=p).count() == 2 for _, p in first)


@pytest.mark.parametrize("name", POLICIES)
def test_counts_and_examples_by_outcome(name: str) -> None:
    policy, tenant = POLICIES[name], filled()
    comparison = what_if(policy, days=1, tenant=tenant.pk)
    single = list(judged(policy, Selection(tenant=tenant.pk)))
    expected = Counter(one.change for one in single)

    assert comparison.counts == expected
    for subject in ("picture", "prompt"):
        outcomes = comparison.outcomes(subject)
        assert sum(was for _, was, _ in outcomes) == PICTURES
        assert sum(would for _, _, would in outcomes) == PICTURES
    flips = [one for one in comparison.changes("picture") if one.flips]
    assert flips
    assert all(1 <= len(one.examples) <= 5 for one in flips)
    assert all(example in single for one in flips for example in one.examples)
    assert all(e.live == one.live and e.then == one.then for one in flips for e in one.examples)


def test_a_score_that_cannot_be_read_is_counted_as_review() -> None:
    job = judged_job(PictureAction.RELEASE)
    picture = job.pictures.get()
    decision_record(
        job=job, picture=picture, stage=DecisionStage.SCRUTINISE, round=1,
        action=DecisionAction.BLOCK, reason="filled", explanation="x", scores={"nude": 0.1},
    )  # fmt: skip
    strict = acting(nude={"threshold": 0.3}, nsfw={"threshold": 1.0})

    comparison = what_if(strict, days=1, tenant=job.tenant_id)

    assert comparison.counts["picture", "block", "review"] == 1


def test_only_the_days_and_the_tenant_that_were_asked_for() -> None:
    tenant, other = filled(20), filled(10)
    old = make_tenant()
    fill(old, 5, timezone.now() - timedelta(days=8))

    def number(days: int, of: Tenant) -> int:
        comparison = what_if(Policy(), days=days, tenant=of.pk)
        return sum(one.number for one in comparison.changes("picture"))

    assert (number(7, tenant), number(7, other)) == (20, 10)
    assert (number(7, old), number(9, old)) == (0, 5)


def test_what_the_pipeline_recorded_is_read_back() -> None:
    job = judged_job(PictureAction.RELEASE, PictureAction.BLOCK)
    strict = acting(nude={"threshold": 0.3}, nsfw={"threshold": 1.0})

    found = [one for one in judged(strict, Selection(jobs=[job.pk])) if one.picture]

    assert [(one.live, one.then) for one in found] == [("release", "blur"), ("block", "blur")]
    assert found[0].scores["nude"] == 0.31


@pytest.mark.parametrize(
    ("nude", "then"), [(0.6, "block"), (0.3, "blur")], ids=["let out first", "not let out"]
)
def test_the_verdict_on_an_edited_face_counts_where_the_picture_would_be_let_out(
    nude: float, then: str
) -> None:
    job = judged_job(PictureAction.RELEASE)
    picture = job.pictures.get()
    Picture.objects.filter(pk=picture.pk).update(draws=[])
    found = {"nsfw": 0.1, "politic": 0.1, "culture": 0.1, "public": 0.1}
    for action, scores in (("edit", {}), ("block", found | {"nude": 0.9})):
        decision_record(
            job=job, picture=picture, stage=DecisionStage.EDIT, round=1,
            action=DecisionAction(action), reason="x", explanation="x", scores=scores,
        )  # fmt: skip
    policy = acting(nude={"threshold": nude}, nsfw={"threshold": 1.0})

    (one,) = [one for one in judged(policy, Selection(jobs=[job.pk])) if one.picture]

    assert (one.live, one.then) == ("block", then)


def test_no_threshold_lets_anything_sexual_meet_a_minor_in_what_if_either() -> None:
    job = judged_job(PictureAction.RELEASE, PictureAction.RELEASE)
    job.text_verdict = (job.text_verdict or {}) | {"minor": True}
    job.save(update_fields=["text_verdict"])
    picture = job.pictures.get(index=0)
    decision_record(
        job=job, picture=picture, stage=DecisionStage.SCRUTINISE, round=1,
        action=DecisionAction.BLOCK, reason="x", explanation="x",
        scores={"nsfw": 0.1, "politic": 0.1, "culture": 0.1, "public": 0.1, "nude": 0.7},
    )  # fmt: skip
    lax = acting(nude={"threshold": 1.01}, nsfw={"threshold": 1.01})

    found = {o.picture: o for o in judged(lax, Selection(jobs=[job.pk])) if o.picture}
    comparison = what_if(lax, days=1, tenant=job.tenant_id)

    assert len(found) == 2
    for verdict in ("block", "release"):
        told = sum(one.then == verdict for one in found.values())
        counted = sum(n for (_, _, then), n in comparison.counts.items() if then == verdict)
        prompts = sum(n for (what, _, then), n in comparison.counts.items()
                      if what == "prompt" and then == verdict)  # fmt: skip
        assert counted - prompts == told


def test_what_follows_a_persons_repair_follows_from_no_policy() -> None:
    job = judged_job(PictureAction.REVIEW)
    picture = job.pictures.get()
    decision_record(
        job=job, picture=picture, stage=DecisionStage.REVIEW, round=1, actor=make_user(),
        action=DecisionAction.BLUR, reason="moderator_blurred", explanation="x",
    )  # fmt: skip
    decision_record(
        job=job, picture=picture, stage=DecisionStage.SCRUTINISE, round=3,
        action=DecisionAction.RELEASE, reason="clean", explanation="x",
        scores={concept.value: 0.0 for concept in Concept},
    )  # fmt: skip

    (one,) = [one for one in judged(Policy(), Selection(jobs=[job.pk])) if one.picture]
    comparison = what_if(Policy(), days=1, tenant=job.tenant_id)

    assert one.live == "review"
    assert sum(n for (what, live, _), n in comparison.counts.items() if what == "picture") == 1
    assert {live for what, live, _ in comparison.counts if what == "picture"} == {"review"}


def client_with(*permissions: str) -> Client:
    client = Client()
    client.force_login(make_user(*permissions))
    return client


def test_the_page_counts_and_the_csv_has_every_change() -> None:
    tenant = filled(300)
    draft = draft_make(
        policy=tenant.policy_version.policy, document=POLICIES["stricter"], note="stricter",
        author=make_user(),
    )  # fmt: skip
    client = client_with("policies.run_what_if")
    asked = {"policy": str(draft.pk), "days": "2", "tenant": str(tenant.pk)}

    page = client.get(reverse("policies:what_if"), asked)
    answer = client.get(reverse("policies:what_if_csv"), asked)

    assert page.status_code == 200
    pictures = next(p for p in page.context["comparison"] if p["subject"] == "picture")
    assert f"{pictures['flips']} of 300 would be something else" in page.content.decode()
    assert "release → blur" in page.content.decode()
    assert answer["Content-Type"].startswith("text/csv")
    header, *rows = csv.reader(io.StringIO(b"".join(answer).decode()))  # type: ignore[call-overload]
    assert tuple(header) == CSV_HEADER
    assert [tuple(row) for row in rows] == list(
        what_if_rows(POLICIES["stricter"], days=2, tenant=tenant.pk)
    )
    assert len([row for row in rows if row[0] == "picture"]) == pictures["flips"]


@pytest.mark.parametrize(
    ("asked", "complaint"),
    [
        ({"days": "0"}, "days: at least one day is needed."),
        ({"days": "366"}, "days: at most 365 days are looked back."),
        ({"days": "many"}, "Enter a whole number."),
        ({"tenant": "nobody"}, "not a valid"),
    ],
)
def test_what_cannot_be_asked_is_told(asked: dict[str, str], complaint: str) -> None:
    version = make_tenant().policy_version
    client = client_with("policies.run_what_if")
    page = client.get(reverse("policies:what_if"), {"policy": str(version.pk)} | asked)

    assert complaint in page.content.decode()
    assert page.context["comparison"] is None
    refused = client.get(reverse("policies:what_if_csv"), {"policy": str(version.pk)} | asked)
    assert refused.status_code == 400


def test_without_a_policy_the_page_lets_one_be_chosen() -> None:
    version = make_tenant().policy_version
    author = make_user()
    drafts = [
        draft_make(policy=version.policy, document=Policy(), note=note, author=author)
        for note in ("open", "published")
    ]
    published = draft_publish(draft_id=drafts[1].pk, publisher=make_user())
    client = client_with("policies.run_what_if")

    page = client.get(reverse("policies:what_if"))

    offered = [
        value
        for _, of in page.context["form"].fields["policy"].widget.choices[1:]
        for value, _ in of
    ]
    assert {str(drafts[0].pk), str(version.pk), str(published.pk)} <= set(offered)
    assert str(drafts[1].pk) not in offered, "what was published is there as a version"
    assert page.context["comparison"] is None
    assert "Choose a version" not in page.content.decode(), "nothing is wrong yet"
    old = client.get(reverse("policies:what_if"), {"policy": str(drafts[1].pk)})
    assert f'value="{drafts[1].pk}" selected' in old.content.decode()


@pytest.mark.parametrize("asked", [{}, {"policy": ""}, {"policy": "the newest"}])
def test_a_policy_must_be_named(asked: dict[str, str]) -> None:
    client = client_with("policies.run_what_if")
    answer = client.get(reverse("policies:what_if_csv"), asked)
    assert answer.status_code == 400
    assert "Choose a version or a draft" in answer.content.decode()
    if asked:
        page = client.get(reverse("policies:what_if"), asked)
        assert "Choose a version or a draft" in page.content.decode()
    gone = {"policy": "00000000-0000-7000-8000-000000000000"}
    assert client.get(reverse("policies:what_if"), gone).status_code == 404
