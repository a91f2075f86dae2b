"""Drafts of policies: copied, edited, published by a second person, rolled back."""

from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from accounts.models import User
from ethical_lens.policy import Policy as PolicyDocument
from moderation.evaluations import reports_attach
from moderation.models import Policy, PolicyVersion
from moderation.policies import policy_version_add
from policies.errors import DraftPublished, SecondPersonNeeded
from policies.models import PolicyDraft


def draft_make(
    *,
    policy: Policy,
    document: PolicyDocument,
    note: str,
    author: User,
    based_on: PolicyVersion | None = None,
) -> PolicyDraft:
    """A new draft; nothing is judged by it."""
    with transaction.atomic():
        draft = PolicyDraft.objects.create(
            policy=policy, note=note, document=_content(document), based_on=based_on
        )
        draft.authors.add(author)
    return draft


def draft_edit(*, draft_id: UUID, document: PolicyDocument, note: str, author: User) -> PolicyDraft:
    """Change the draft. Whoever edits it is an author. Raises `DraftPublished`."""
    with transaction.atomic():
        draft = _open(draft_id)
        draft.document, draft.note = _content(document), note
        draft.save(update_fields=["document", "note", "edited_at"])
        draft.authors.add(author)
    return draft


def draft_publish(*, draft_id: UUID, publisher: User) -> PolicyVersion:
    """Append the draft's document as the next version of its policy. Reports of evaluations of that
    very document hang on it from the start.

    Raises `DraftPublished`, and `SecondPersonNeeded` where the publisher is one of its authors and
    POLICY_FOUR_EYES holds.
    """
    with transaction.atomic():
        draft = _open(draft_id)
        if settings.ENVIRONMENT.policy_four_eyes and draft.authors.filter(pk=publisher.pk).exists():
            raise SecondPersonNeeded("you wrote this draft: somebody else must publish it")
        version = policy_version_add(
            policy=draft.policy, document=draft.parsed, created_by=draft.authors.first()
        )
        draft.published_as, draft.published_by = version, publisher
        draft.published_at = timezone.now()
        draft.save(update_fields=["published_as", "published_by", "published_at"])
        reports_attach(version=version, user=publisher)
    return version


def version_roll_back(*, version: PolicyVersion, publisher: User) -> PolicyVersion:
    """Publish an older document again, as a new version of the same policy.

    It needs no second person: that very document was published before.
    """
    with transaction.atomic():
        new = policy_version_add(
            policy=version.policy, document=version.parsed, created_by=publisher
        )
        reports_attach(version=new, user=publisher)
    return new


def _open(draft_id: UUID) -> PolicyDraft:
    draft = PolicyDraft.objects.select_for_update(of=("self",)).get(pk=draft_id)
    if draft.published_as_id is not None:
        raise DraftPublished(f"this draft is {draft.published_as} already; copy it to go on")
    return draft


def _content(document: PolicyDocument) -> dict[str, Any]:
    return document.model_dump(mode="json")
