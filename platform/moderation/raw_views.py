"""Looking at a picture that is not released: never without a row that says who did."""

from django.db import transaction

from accounts.models import User
from jobs.models import Picture, PictureVersion
from jobs.storage import object_get
from moderation.models import RawPictureView


def raw_picture_read(*, picture: Picture, version: PictureVersion, user: User) -> bytes:
    """The picture as it is, once it is recorded who looks at it.

    The record is committed when this returns; where it cannot be written, nothing is shown, and
    where nothing can be read, nothing is recorded. Raises `jobs.storage.StorageError`.
    """
    with transaction.atomic():
        RawPictureView.objects.create(picture=picture, user=user, object_digest=version.sha256)
        return object_get(version.key, sha256=version.sha256)
