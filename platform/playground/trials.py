"""A prompt is tried: two jobs under two policies that differ in alignment alone.

Both go the way of every job: text and pictures of either are scrutinised, and pictures come out
only by a verdict.
"""

from typing import Final

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from accounts.models import Tenant, User
from ethical_lens.policy import FactorRule
from ethical_lens.policy import Policy as PolicyDocument
from ethical_lens.results import Factor, Label, TextAction
from jobs.api.schemas import JobIn
from jobs.models import IN_FLIGHT_VALUES
from jobs.quotas import QUEUE
from jobs.services import job_submit
from moderation.models import Policy, PolicyVersion
from moderation.policies import policy_of_version, policy_version_add
from playground.models import Trial
from policies.assignments import version_in_force

ALIGNED: Final = "playground"
AS_WRITTEN: Final = "playground-as-written"
MOST_UNFINISHED: Final = 2
"""Trials of one user that may be under way."""


class TooManyTrials(Exception):
    """The user's trials before are still under way."""


@transaction.atomic
def playground_tenants() -> tuple[Tenant, Tenant]:
    """The tenant of the aligned arm and that of the other; made where they are missing.

    The policy of the aligned arm is that of the tenant `playground`, the published one at first.
    The other's is the same without alignment: where it is not (any more), a version is appended.
    """
    aligned = Tenant.objects.select_for_update().filter(slug=ALIGNED).first()
    if aligned is None:
        first = _version(ALIGNED, PolicyDocument())
        aligned, _ = Tenant.objects.get_or_create(
            slug=ALIGNED, defaults={"name": "Playground", "policy_version": first}
        )
    document = _policy(aligned)
    version = _version(AS_WRITTEN, without_alignment(document))
    as_written, _ = Tenant.objects.update_or_create(
        slug=AS_WRITTEN, defaults={"name": "Playground, as written", "policy_version": version}
    )
    return aligned, as_written


def without_alignment(policy: PolicyDocument) -> PolicyDocument:
    """The policy that paints prompts as they were written: what was to be reworded is allowed,
    nobody is drawn, no face is edited, nothing is worded anew for a second round.

    What is sexual is blocked: no age is drawn that would keep it apart from minors.
    """
    factors = {
        factor: rule.model_copy(update={"action": _unless_reworded(rule.action)})
        for factor, rule in policy.factors.items()
    }
    changes = {
        "labels": {label: _unless_reworded(policy.label_does(label)) for label in Label},
        "factors": factors | {Factor.SEXUAL: FactorRule(action=TextAction.BLOCK)},
        "diversify": frozenset(),
        "edit_faces": False,
        "rounds": 1,
    }
    return PolicyDocument.model_validate(policy.model_dump() | changes)


def _unless_reworded(action: TextAction) -> TextAction:
    return TextAction.ALLOW if action is TextAction.REWRITE else action


def trial_start(*, user: User, prompt: str, count: int, seed: int | None) -> Trial:
    """Submit both jobs with the same seeds, `count` pictures each.

    Raises `TooManyTrials`, `QuotaExceeded` where the queue is full, `NotAllowed` where the policy
    allows none of the models there are, `LimitExceeded` where it allows less, and pydantic's
    `ValidationError`.
    """
    QUEUE.check()
    with transaction.atomic():
        User.objects.select_for_update().get(pk=user.pk)  # two at once are counted one by one
        if trials_unfinished(user) >= MOST_UNFINISHED:
            raise TooManyTrials
        aligned, as_written = playground_tenants()
        model = _model(_policy(aligned))
        wanted = JobIn(prompt=prompt, n=count, seed=seed, model=model)
        first = job_submit(tenant=aligned, request=wanted.to_request())
        same = wanted.model_copy(update={"seed": first.seed})
        second = job_submit(tenant=as_written, request=same.to_request())
        return Trial.objects.create(user=user, aligned=first, as_written=second)


def trials_unfinished(user: User) -> int:
    """How many of the user's trials still have a job in the queue or at work."""
    return (
        Trial.objects.filter(user=user)
        .filter(
            Q(aligned__status__in=IN_FLIGHT_VALUES) | Q(as_written__status__in=IN_FLIGHT_VALUES)
        )
        .count()
    )


def _policy(tenant: Tenant) -> PolicyDocument:
    return policy_of_version(version_in_force(tenant, at=timezone.now()))


def _model(policy: PolicyDocument) -> str:
    """The first of the models that the policy allows; the first of all, where none is."""
    known: list[str] = list(settings.DIFFUSION_MODELS)
    allowed = [model for model in known if policy.models is None or model in policy.models]
    return (allowed or known)[0]


def _version(name: str, document: PolicyDocument) -> PolicyVersion:
    """The newest version of the policy `name`, appended where it says something else."""
    policy, _ = Policy.objects.get_or_create(name=name)
    newest = policy.versions.order_by("-number").first()
    if newest is not None and newest.parsed == document:
        return newest
    return policy_version_add(policy=policy, document=document, created_by=None)
