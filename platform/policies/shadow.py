"""Shadow mode: drafts judge live traffic without acting."""

import logging
from collections.abc import Collection
from uuid import UUID

from django.db import transaction
from django.db.models import Count, F, Q, Window
from django.db.models.functions import RowNumber
from django.utils import timezone
from pydantic import ValidationError

from accounts.models import Tenant, User
from ethical_lens.policy import Policy as PolicyDocument
from jobs.models import Job
from policies.cases import EXAMPLES
from policies.judging import Judged, judged
from policies.models import PolicyDraft, PolicyShadow, ShadowVerdict
from policies.stored import Selection
from policies.what_if import Comparison

logger = logging.getLogger(__name__)

_KEY = ["shadow", "job", "picture"]
_JUDGED = ["live", "live_reason", "shadowed", "shadowed_reason"]


def shadow_start(*, draft: PolicyDraft, started_by: User, tenant: Tenant | None) -> PolicyShadow:
    """Let the draft, as it now is, judge what a tenant's jobs, or all, come to from now on."""
    return PolicyShadow.objects.create(
        draft=draft, document=draft.document, tenant=tenant, started_by=started_by
    )


def shadow_end(*, shadow_id: UUID) -> bool:
    """Let it judge no more; what it recorded stays. Whether it still did: one that has ended keeps
    its time."""
    running = PolicyShadow.objects.filter(pk=shadow_id, ended_at=None)
    return running.update(ended_at=timezone.now()) == 1


def shadows_judge(job_ids: Collection[UUID]) -> int:
    """Record what the running shadows make of these jobs, of what is on record by now. How many
    verdicts. Touches nothing of the jobs.

    Raises whatever the database raises: callers let no job suffer from it.
    """
    tenants = Job.objects.filter(pk__in=job_ids).values("tenant")
    running = PolicyShadow.objects.filter(Q(tenant=None) | Q(tenant__in=tenants), ended_at=None)
    number = 0
    for shadow in running:
        selection = Selection(jobs=tuple(job_ids), tenant=shadow.tenant_id)
        try:
            document = PolicyDocument.model_validate(shadow.document)
        except ValidationError:
            logger.exception("shadow %s cannot judge: its document is no policy", shadow.pk)
            continue
        verdicts = [_verdict(shadow, one) for one in judged(document, selection)]
        with transaction.atomic():
            ShadowVerdict.objects.bulk_create(
                verdicts, update_conflicts=True, unique_fields=_KEY, update_fields=_JUDGED
            )
        number += len(verdicts)
    return number


def comparison_of(shadow: PolicyShadow) -> Comparison:
    """What a shadow recorded, beside what was done; counted by the database, the newest as
    examples."""
    comparison, change = Comparison(), ["of_picture", "live", "shadowed"]
    verdicts = shadow.verdicts.annotate(of_picture=Q(picture__isnull=False))
    for of_picture, live, then, number in verdicts.values_list(*change).annotate(
        number=Count("pk")
    ):
        comparison.counts["picture" if of_picture else "prompt", live, then] = number
    newest = Window(RowNumber(), partition_by=change, order_by=F("id").desc())
    examples = verdicts.exclude(live=F("shadowed")).annotate(place=newest)
    for verdict in examples.filter(place__lte=EXAMPLES).order_by("-id"):
        comparison.show(
            Judged(
                verdict.job_id, verdict.picture_id, verdict.live, verdict.live_reason,
                verdict.shadowed, verdict.shadowed_reason,
            )
        )  # fmt: skip
    return comparison


def _verdict(shadow: PolicyShadow, one: Judged) -> ShadowVerdict:
    return ShadowVerdict(
        shadow=shadow,
        job_id=one.job,
        picture_id=one.picture,
        live=one.live,
        live_reason=one.live_reason,
        shadowed=one.then,
        shadowed_reason=one.then_reason,
    )
