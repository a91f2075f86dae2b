"""Policies: a new version is a new row, the ones before stay as they are."""

from functools import lru_cache
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Max

from accounts.models import User
from ethical_lens.policy import Policy as PolicyDocument
from moderation.models import Policy, PolicyVersion


def policy_version_add(
    *, policy: Policy, document: PolicyDocument, created_by: User | None
) -> PolicyVersion:
    """Append the version with the next number. Tenants stay on theirs until they are moved."""
    content: dict[str, Any] = document.model_dump(mode="json")
    with transaction.atomic():
        Policy.objects.select_for_update().get(pk=policy.pk)
        last = policy.versions.aggregate(last=Max("number"))["last"] or 0
        return PolicyVersion.objects.create(
            policy=policy, number=last + 1, document=content, created_by=created_by
        )


@lru_cache(maxsize=256)
def policy_of_version(version_id: UUID) -> PolicyDocument:
    """The policy of a version, read once per process: versions never change."""
    return version_known(version_id).parsed


@lru_cache(maxsize=256)
def version_known(version_id: UUID) -> PolicyVersion:
    """The row of a version with its policy, read once per process: neither ever changes."""
    return PolicyVersion.objects.select_related("policy").get(pk=version_id)
