"""Looking at a picture that is not released, or that was sent: never without a row that says who
did."""

from django.db import transaction

from accounts.models import User
from jobs.models import Picture, PictureVersion, SentPicture
from jobs.storage import object_get
from moderation.models import RawPictureView
from moderation.previews import sent_read


def raw_picture_read(*, picture: Picture, version: PictureVersion, user: User) -> bytes:
    """The picture as it is, once it is recorded who looks at it.

    The record is committed when this returns; where it cannot be written, nothing is shown, and
    where nothing can be read, nothing is recorded. Raises `jobs.storage.StorageError`.
    """
    with transaction.atomic():
        RawPictureView.objects.create(picture=picture, user=user, object_digest=version.sha256)
        return object_get(version.key, sha256=version.sha256)


def raw_sent_read(*, sent: SentPicture, user: User) -> bytes:
    """The picture that was sent, as a PNG of its pixels alone, recorded as above.

    Raises `jobs.storage.StorageError`, `moderation.previews.PictureUnreadable`.
    """
    with transaction.atomic():
        RawPictureView.objects.create(sent=sent, user=user, object_digest=sent.sha256)
        return sent_read(sent)
