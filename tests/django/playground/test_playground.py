"""The playground: who may try, what is submitted, and that nothing unjudged is ever shown."""

import io
import random
from typing import Any
from uuid import uuid4

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from PIL import Image, ImageChops

from accounts.models import Tenant, User
from ethical_lens.policy import FactorRule, Limits
from ethical_lens.policy import Policy as PolicyDocument
from ethical_lens.results import (
    Alignment,
    Concept,
    Factor,
    Label,
    PictureAction,
    PicturePrompt,
    PictureVerdict,
    TextAction,
    TextVerdict,
)
from ethical_lens.text.acting import act_on
from ethical_lens.text.choose import scrutinise_with
from ethical_lens.text.deck import draw_pictures
from ethical_lens.text.rules import RuleAligner
from jobs.models import Job
from jobs.recording.alignment import Aligned, alignment_finish
from jobs.recording.painting import PaintedPicture, painting_finish
from jobs.recording.scrutiny import ScrutinisedPicture, scrutiny_finish
from jobs.states import JobStatus
from jobs.storage import quarantine_put
from moderation.policies import policy_of_version, policy_version_add
from playground.models import Trial
from playground.trials import (
    MOST_UNFINISHED,
    playground_tenants,
    trial_start,
    without_alignment,
)
from review_cases import SCORES, claimed, make_user, png, release_run

pytestmark = [pytest.mark.services, pytest.mark.django_db]

START = "/playground/"


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def user() -> User:
    return make_user(group="Playground")


@pytest.fixture
def client(user: User) -> Client:
    return signed_in(user)


def post(client: Client, **changes: object) -> Any:
    return client.post(START, {"prompt": "a doctor in an office", "count": 2, "seed": 7} | changes)


def started(user: User) -> Trial:
    return trial_start(user=user, prompt="a doctor in an office", count=1, seed=7)


def paint(job: Job) -> None:
    """The job up to its scrutiny: one picture is painted and not judged yet."""
    verdict = TextVerdict(
        labels=frozenset({Label.K0}), score=0.1, explanation="Nothing found.", prompt=job.prompt
    )
    alignment = Alignment(verdict=verdict, pictures=(PicturePrompt(prompt=job.prompt),))
    policy = policy_of_version(job.policy_version_id)
    alignment_finish({claimed(job, "align"): Aligned(alignment, {"rules": "0"}, policy)})
    picture = job.pictures.get()
    stored = quarantine_put(job_id=job.id, picture_id=picture.id, round=1, png=png())
    painting_finish(
        {claimed(job, "generate"): [PaintedPicture(picture.id, job.prompt, stored)]},
        model_digests={"unet": "1"},
    )


def judge(job: Job, action: PictureAction, reason: str = "test") -> None:
    verdict = PictureVerdict(
        action=action, reason=reason, explanation=f"It says {action}.", scores=SCORES
    )
    judged = ScrutinisedPicture(picture_id=job.pictures.get().id, verdict=verdict)
    scrutiny_finish(
        {claimed(job, "scrutinise"): [judged]},
        model_digests={"head": "2"},
    )
    release_run(job)


def address(trial: Trial, arm: str, index: int = 0) -> str:
    return reverse("playground:picture", args=[trial.pk, arm, index])


def test_only_who_is_signed_in_and_may(client: Client) -> None:
    assert Client().get(START)["Location"].startswith(reverse("admin:login"))
    assert signed_in(make_user(group="Moderators")).get(START).status_code == 403
    assert client.get(START).status_code == 200


def test_a_trial_is_two_jobs_that_differ_in_alignment_alone(client: Client, user: User) -> None:
    answer = post(client)
    trial = Trial.objects.get(user=user)
    assert answer["Location"] == reverse("playground:trial", args=[trial.pk])
    one, other = trial.aligned, trial.as_written
    for field in ("prompt", "n", "seed", "model", "width", "height", "steps", "guidance_scale"):
        assert getattr(one, field) == getattr(other, field), field
    assert [p.seed for p in one.pictures.all()] == [p.seed for p in other.pictures.all()] == [7, 8]
    assert (one.tenant.slug, other.tenant.slug) == ("playground", "playground-as-written")
    rules = one.policy_version.parsed
    assert rules == PolicyDocument()
    unaligned = other.policy_version.parsed
    assert (unaligned.concepts, unaligned.blur) == (rules.concepts, rules.blur)
    assert (unaligned.aligners, unaligned.models) == (rules.aligners, rules.models)


def aligned_under(policy: PolicyDocument, prompt: str) -> Alignment:
    verdict, judge = scrutinise_with([RuleAligner()], prompt, "", policy)
    rng = random.Random(7)
    return act_on(
        verdict, prompt, "", policy, judge, lambda v: draw_pictures({}, v, policy, 2, rng)[0]
    )


@pytest.mark.parametrize(
    "prompt", ["a doctor in an office", "five nurses", "an angry mob beating a thief in the street"]
)
def test_without_alignment_a_prompt_is_painted_word_for_word(prompt: str) -> None:
    painted = aligned_under(without_alignment(PolicyDocument()), prompt).pictures
    assert [picture.prompt for picture in painted] == [prompt] * 2
    reworded = aligned_under(PolicyDocument(), prompt).pictures
    assert all(picture.prompt != prompt for picture in reworded)


@pytest.mark.parametrize("prompt", ["a nude child", "a nude woman on a bed"])
def test_without_alignment_what_is_refused_or_sexual_is_not_painted(prompt: str) -> None:
    assert aligned_under(without_alignment(PolicyDocument()), prompt).pictures == ()


def test_without_alignment_what_a_person_must_see_waits_all_the_same() -> None:
    strict = PolicyDocument(
        labels={Label.K1: TextAction.REVIEW},
        factors={Factor.VIOLENCE: FactorRule(threshold=0.9, action=TextAction.REWRITE)},
    )
    unaligned = without_alignment(strict)
    assert unaligned.label_does(Label.K1) is TextAction.REVIEW
    assert unaligned.label_does(Label.K3) is TextAction.BLOCK
    assert unaligned.factors[Factor.VIOLENCE] == FactorRule(threshold=0.9, action=TextAction.ALLOW)


def test_the_other_arm_follows_the_policy_of_the_first() -> None:
    aligned, as_written = playground_tenants()
    assert playground_tenants() == (aligned, as_written)
    assert as_written.policy_version == playground_tenants()[1].policy_version
    strict = PolicyDocument(aligners=("rules", "llm"))
    policy = aligned.policy_version.policy
    version = policy_version_add(policy=policy, document=strict, created_by=None)
    Tenant.objects.filter(pk=aligned.pk).update(policy_version=version)
    moved = playground_tenants()[1].policy_version
    assert moved.number == as_written.policy_version.number + 1
    assert moved.parsed.aligners == ("rules", "llm")
    assert moved.parsed == without_alignment(strict)


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"prompt": " "}, "Say what to paint."),
        ({"prompt": "x" * 2001}, "at most 2000 characters"),
        ({"prompt": "a\x07b"}, "U+0007 is not allowed"),
        ({"count": 9}, "Pictures: Select a valid choice"),
        ({"seed": -1}, "Seed: Ensure this value is greater than or equal to 0"),
        ({"seed": "abc"}, "Seed: Enter a whole number"),
    ],
)
def test_what_is_wrong_is_said_at_its_field(
    client: Client, user: User, changes: dict[str, object], complaint: str
) -> None:
    answer = post(client, **changes)
    assert answer.status_code == 400
    assert complaint in answer.content.decode()
    assert not Trial.objects.filter(user=user).exists()


def test_only_so_many_trials_are_under_way(client: Client, user: User) -> None:
    trials = [started(user) for _ in range(MOST_UNFINISHED)]
    answer = post(client)
    assert answer.status_code == 429
    assert "under way" in answer.content.decode()
    for job in (trials[0].aligned, trials[0].as_written):
        Job.objects.filter(pk=job.pk).update(status=JobStatus.NEEDS_REVIEW)
    assert post(client).status_code == 302


@pytest.mark.parametrize(
    ("document", "complaint"),
    [
        (PolicyDocument(models=("elsewhere",)), "model"),
        (PolicyDocument(limits=Limits(pictures=1)), "n is 2"),
    ],
)
def test_what_the_policy_does_not_allow_is_said(
    client: Client, user: User, document: PolicyDocument, complaint: str
) -> None:
    aligned, _ = playground_tenants()
    version = policy_version_add(
        policy=aligned.policy_version.policy, document=document, created_by=None
    )
    Tenant.objects.filter(pk=aligned.pk).update(policy_version=version)
    answer = post(client)
    assert answer.status_code == 403
    assert complaint in answer.content.decode().partition("does not allow this")[2]
    assert not Trial.objects.filter(user=user).exists()


def test_a_page_costs_the_same_however_many_pictures(client: Client, user: User) -> None:
    counted = []
    for count in (1, 4):
        trial = trial_start(user=user, prompt="a doctor in an office", count=count, seed=7)
        for job in (trial.aligned, trial.as_written):
            Job.objects.filter(pk=job.pk).update(status=JobStatus.NEEDS_REVIEW)
        with CaptureQueriesContext(connection) as queries:
            assert client.get(reverse("playground:state", args=[trial.pk])).status_code == 200
        counted.append(len(queries))
    assert counted[0] == counted[1] <= 8


def test_another_users_trial_is_not_there(user: User) -> None:
    trial = started(user)
    paint(trial.aligned)
    judge(trial.aligned, PictureAction.RELEASE)
    other = signed_in(make_user(group="Playground"))
    for url in (
        reverse("playground:trial", args=[trial.pk]),
        reverse("playground:state", args=[trial.pk]),
        reverse("playground:events", args=[trial.pk, "aligned"]),
        address(trial, "aligned"),
    ):
        assert signed_in(user).get(url).status_code in {200, 204}, url
        assert other.get(url).status_code == 404, url
        assert Client().get(url).status_code in {302, 403}, url


@pytest.mark.parametrize("arm", ["aligned", "as-written"])
def test_nothing_is_shown_before_its_verdict(client: Client, user: User, arm: str) -> None:
    trial = started(user)
    job = trial.aligned if arm == "aligned" else trial.as_written
    assert client.get(address(trial, arm)).status_code == 404
    paint(job)
    assert client.get(address(trial, arm)).status_code == 404
    page = client.get(reverse("playground:state", args=[trial.pk])).content.decode()
    assert "<img" not in page


@pytest.mark.parametrize("arm", ["aligned", "as-written"])
def test_a_released_picture_is_shown_as_it_is(client: Client, user: User, arm: str) -> None:
    trial = started(user)
    job = trial.aligned if arm == "aligned" else trial.as_written
    paint(job)
    judge(job, PictureAction.RELEASE)
    answer = client.get(address(trial, arm))
    assert answer.content == png()
    assert answer["Cache-Control"] == "no-store"
    page = client.get(reverse("playground:trial", args=[trial.pk])).content.decode()
    assert address(trial, arm) in page


def test_a_blocked_picture_is_a_trace_with_its_reason(client: Client, user: User) -> None:
    trial = started(user)
    paint(trial.as_written)
    judge(trial.as_written, PictureAction.BLOCK)
    shown = Image.open(io.BytesIO(client.get(address(trial, "as-written")).content))
    assert shown.mode == "L"
    original = Image.open(io.BytesIO(png())).convert("L").resize(shown.size)
    assert ImageChops.difference(shown, original).getbbox() is not None
    page = client.get(reverse("playground:state", args=[trial.pk])).content.decode()
    assert "It says block." in page


def test_of_somebody_under_twenty_not_even_a_trace(client: Client, user: User) -> None:
    trial = started(user)
    paint(trial.as_written)
    judge(trial.as_written, PictureAction.BLOCK, "sexual_and_under_twenty")
    assert client.get(address(trial, "as-written")).status_code == 404
    page = client.get(reverse("playground:state", args=[trial.pk])).content.decode()
    assert "<img" not in page
    assert "It says block." in page


def test_a_refused_prompt_says_why_and_has_no_picture(client: Client, user: User) -> None:
    trial = started(user)
    verdict = TextVerdict(
        labels=frozenset({Label.K3}), factors=frozenset({Factor.VIOLENCE}), score=0.93,
        explanation="It calls for violence.", prompt=trial.aligned.prompt,
    )  # fmt: skip
    for job in (trial.aligned, trial.as_written):
        policy = policy_of_version(job.policy_version_id)
        aligned = Aligned(Alignment(verdict=verdict), {"r": "0"}, policy)
        alignment_finish({claimed(job, "align"): aligned})
    page = client.get(reverse("playground:trial", args=[trial.pk])).content.decode()
    assert "It calls for violence." in page
    assert "K3 refused" in page
    assert "P3 violence" in page
    assert "Nothing was painted." in page
    assert "<img" not in page
    assert page.count("play-step--done") == 2 * 3, "neither painting nor looking was done"
    for arm in ("aligned", "as-written"):
        assert client.get(address(trial, arm)).status_code == 404
        ended = client.get(
            reverse("playground:events", args=[trial.pk, arm]), headers={"Last-Event-ID": "9"}
        )
        assert ended.status_code == 204, "the stream is not begun again"


def test_the_page_shows_scores_draws_and_changes(client: Client, user: User) -> None:
    trial = started(user)
    paint(trial.aligned)
    job = trial.aligned
    picture = job.pictures.get()
    picture.prompt = "an old Asian female doctor in an office"
    picture.draws = [{"cluster": 0, "gender": "female", "race": "Asian", "age": "old age"}]
    picture.save()
    judge(job, PictureAction.RELEASE)
    page = client.get(reverse("playground:trial", args=[trial.pk])).content.decode()
    for told in ("drawn: old age, Asian, female", "K0 safe", "of 0.70", "<ins>", "seed 7"):
        assert told in page, told


def test_unknown_arms_and_pictures_are_not_there(client: Client, user: User) -> None:
    trial = started(user)
    for url in (address(trial, "aligned", 5), address(trial, "other")):
        assert client.get(url).status_code == 404
    assert client.get(reverse("playground:events", args=[trial.pk, "other"])).status_code == 404
    assert client.get(reverse("playground:trial", args=[uuid4()])).status_code == 404


def test_pages_carry_no_script_of_their_own_and_the_menu_leads_here(client: Client) -> None:
    page = client.get(START).content.decode()
    assert f'href="{START}"' in page
    assert settings.STATIC_URL.strip("/") + "/playground/playground.js" in page
    body = page.partition('class="desk play"')[2].partition("unfold/js/simplebar")[0]
    assert "<script" not in body.partition("</main>")[0].replace("<script src", "")
    assert " onclick=" not in body
    assert Concept.NSFW.value not in page
