"""Sessions that end: without a request for `SESSION_IDLE_SECONDS`, and `SESSION_SECONDS` after
signing in whatever happens. Django's SESSION_ENGINE."""

from datetime import timedelta
from typing import Any, Final

from asgiref.sync import sync_to_async
from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore as DatabaseStore
from django.http import HttpRequest
from django.utils import timezone

SIGNED_IN_AT: Final = "signed_in_at"
RENEWED_EVERY: Final = timedelta(seconds=10)


class SessionStore(DatabaseStore):
    """Django's sessions in the database. Being used moves the end of a row alone, so that requests
    side by side do not overwrite each other's data."""

    def load(self) -> dict[str, Any]:
        row = self._get_session_from_db()  # type: ignore[attr-defined]
        if row is None:
            return {}
        data: dict[str, Any] = self.decode(row.session_data)
        now = timezone.now()
        if SESSION_KEY in data:
            age = now.timestamp() - data.get(SIGNED_IN_AT, 0)
            if age > settings.ENVIRONMENT.session_seconds:
                self._session_key = None
                return {}
        end = now + timedelta(seconds=settings.SESSION_COOKIE_AGE)
        if end - row.expire_date > RENEWED_EVERY:
            self.model.objects.filter(pk=row.pk).update(expire_date=end)
        return data

    async def aload(self) -> dict[str, Any]:
        return await sync_to_async(self.load)()


def signing_in_remember(*, request: HttpRequest, **_signal: Any) -> None:
    """When this was: Django's `user_logged_in`."""
    request.session[SIGNED_IN_AT] = timezone.now().timestamp()
