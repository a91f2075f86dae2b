"""A person looks at a picture that is out: it stays, or it is withdrawn. Its job, which has ended,
stays as it is."""

import logging
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from accounts.models import User
from desk.entering import released_leave
from jobs.models import Job
from jobs.states import PictureStatus
from jobs.storage import StorageError, object_delete
from moderation.decisions import decision_record
from moderation.models import Decision, DecisionAction, DecisionStage
from moderation.review import NotInReview, ReviewError
from moderation.telling import withdrawal_tell

logger = logging.getLogger(__name__)


def released_decide(*, picture_id: UUID, moderator: User, keep: bool, explanation: str) -> Decision:
    """Keep a released picture out, or withdraw it; reports of it are answered by that.

    A withdrawn picture has no address any more, and its released copy is deleted; should the store
    be away, the next sweep does that.

    Raises `NotInReview` where the picture is not out, `ReviewError` without an explanation.
    """
    if not explanation.strip():
        raise ReviewError("Say why: the explanation is empty.")
    with transaction.atomic():
        job = Job.objects.select_for_update(of=("self",)).get(pictures=picture_id)
        picture = job.pictures.select_related("current").get(pk=picture_id)
        if picture.status != PictureStatus.RELEASED or picture.current is None:
            raise NotInReview(f"picture {picture.index} of job {job.id} is not out")
        decision = decision_record(
            job=job,
            picture=picture,
            stage=DecisionStage.REVIEW,
            round=picture.round,
            actor=moderator,
            action=DecisionAction.ALLOW if keep else DecisionAction.BLOCK,
            reason="moderator_confirmed" if keep else "moderator_withdrew",
            explanation=explanation.strip(),
            object_digest=picture.current.sha256,
        )
        if not keep:
            key = picture.released_key
            picture.status, picture.reason = PictureStatus.WITHDRAWN.value, decision.reason
            picture.released_key = ""
            picture.save(update_fields=["status", "reason", "released_key"])
            withdrawal_tell(job, picture, decision)
            transaction.on_commit(lambda: _delete(key))
        picture.reports.filter(answer=None).update(answer=decision, answered_at=timezone.now())
        released_leave(picture.id, by=moderator)
        return decision


def _delete(key: str) -> None:
    try:
        object_delete(key)
    except StorageError as error:
        logger.warning("%s is left to the sweep: %s", key, error)
