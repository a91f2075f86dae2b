"""`Authorization: Bearer <key>` on every route of the API."""

from django.http import HttpRequest
from ninja.security import HttpBearer

from accounts.errors import InvalidKey
from accounts.models import APIKey, Scope
from accounts.rates import request_count
from accounts.services import api_key_authenticate
from config.problems import Problem


class APIKeyAuth(HttpBearer):
    """Lets in whoever holds a valid key with the scope; `request.auth` is then its row."""

    def __init__(self, scope: Scope) -> None:
        super().__init__()
        self.scope = scope

    def authenticate(self, request: HttpRequest, token: str) -> APIKey:
        try:
            key = api_key_authenticate(token)
        except InvalidKey:
            raise Problem(
                401,
                "invalid_key",
                "The API key is not valid",
                "It is unknown, expired or revoked. Send `Authorization: Bearer <key>` with a "
                "current key.",
            ) from None
        rates = request.rates = request_count(key)  # type: ignore[attr-defined]
        if any(rate.left < 0 for rate in rates):
            raise Problem(
                429,
                "too_many_requests",
                "Too many requests this minute",
                "Wait as long as `Retry-After` says; `RateLimit` tells what is left.",
                headers={"Retry-After": str(rates[0].reset)},
            )
        if self.scope.value not in key.scopes:
            raise Problem(
                403,
                "insufficient_scope",
                "The API key may not do this",
                f"This needs the scope {self.scope.value}.",
            )
        return key


def request_key(request: HttpRequest) -> APIKey:
    """The key that a request was let in with."""
    key: APIKey = request.auth  # type: ignore[attr-defined]
    return key
