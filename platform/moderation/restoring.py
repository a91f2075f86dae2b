"""A picture that was blocked wrongly is let out after all; its job, which has ended, stays so."""

from django.utils import timezone

from desk.entering import somebody_minor
from ethical_lens.decide import SEXUAL_CONCEPTS, UNDER_TWENTY
from ethical_lens.results import PictureVerdict
from jobs.models import Picture
from jobs.states import PictureStatus
from jobs.storage import StorageError, StorageUnavailable, release_copy
from moderation.models import Appeal, Decision
from moderation.review import ReviewError


class StoreAway(ReviewError):
    """The object store is away; later it can be done."""


def restorable(appeal: Appeal) -> bool:
    """Whether it lets a picture out if it is accepted: one that is blocked as it was judged, of a
    job that has ended, and in which nothing sexual was found beside somebody who may be under 20.
    """
    job, picture = appeal.job, appeal.decision.picture
    if picture is None or picture.status != PictureStatus.BLOCKED or job.ended_at is None:
        return False
    if picture.current is None or picture.current.sha256 != appeal.decision.object_digest:
        return False
    if picture.current.verdict is None or picture.reason == UNDER_TWENTY:
        return False
    verdict = PictureVerdict.model_validate(picture.current.verdict)
    if not verdict.scores:  # they could not be read: nobody knows what it shows
        return False
    young = somebody_minor(job, picture) or any(face.under_twenty for face in verdict.faces)
    return not (young and SEXUAL_CONCEPTS.intersection(verdict.concepts))


def restore_copy(picture: Picture) -> str:
    """Copy what was blocked to its released key, and return that; unless `picture_restore` follows,
    the next sweep removes it. Raises `ReviewError` where it cannot be copied: `StoreAway` where
    that may pass."""
    assert picture.current is not None, "it was painted"
    try:
        return release_copy(
            source=picture.current.key,
            job_id=picture.job_id,
            picture_id=picture.id,
            sha256=picture.current.sha256,
        )
    except StorageUnavailable as error:
        raise StoreAway(f"The picture cannot be let out now: {error}.") from error
    except StorageError as error:
        raise ReviewError(f"The picture cannot be let out now: {error}.") from error


def picture_restore(picture: Picture, decision: Decision, key: str) -> None:
    """Let the picture out under `key`, by a decision of release on it as it is. In a transaction,
    with the job locked."""
    picture.status, picture.reason = PictureStatus.RELEASED.value, decision.reason
    picture.cleared_by, picture.released_key = decision, key
    picture.released_at = timezone.now()
    picture.save(update_fields=["status", "reason", "cleared_by", "released_key", "released_at"])
