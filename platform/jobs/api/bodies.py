"""Bodies with pictures in them, which are larger than all others."""

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest

from accounts.authentication import APIKeyAuth
from accounts.models import APIKey
from config.problems import BODY_LIMIT


class RoomForPictures(APIKeyAuth):
    """Lets in as `APIKeyAuth` does, and only then takes a body with room for `PICTURE_BYTES` of
    pictures in base64."""

    def authenticate(self, request: HttpRequest, token: str) -> APIKey:
        key = super().authenticate(request, token)
        limit = BODY_LIMIT + settings.ENVIRONMENT.picture_bytes * 4 // 3
        # Django's bound of `body` is one for all routes; what is read here it takes as it is.
        body = request.read(limit + 1)
        if len(body) > limit:
            raise RequestDataTooBig
        request._body, request.body_limit = body, limit  # type: ignore[attr-defined]
        return key
