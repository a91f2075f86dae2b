"""`Authorization: Bearer <key>` on every route of the API."""

import logging
import re
from typing import Final

from django.http import HttpRequest
from ninja.security import HttpBearer

from accounts.errors import InvalidKey
from accounts.guessing import Guesses
from accounts.models import APIKey, Scope
from accounts.rates import request_count
from accounts.services import KEY_MARK, api_key_authenticate, api_key_used
from config.addresses import Address, address_within, client_address
from config.problems import Problem

GUESSES: Final = Guesses()
_PREFIXED: Final = re.compile(rf"{KEY_MARK}_([0-9a-f]{{12}})_")

logger = logging.getLogger(__name__)


class APIKeyAuth(HttpBearer):
    """Lets in whoever holds a valid key with the scope; `request.auth` is then its row."""

    def __init__(self, scope: Scope) -> None:
        super().__init__()
        self.scope = scope

    def authenticate(self, request: HttpRequest, token: str) -> APIKey:
        address = client_address(request)
        key = _recognise(token, address)
        request.auth = key  # type: ignore[attr-defined]  # of refusals below, too
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


def _recognise(token: str, address: Address | None) -> APIKey:
    """The key, used from an address that it is for."""
    wait = GUESSES.wait(address)
    if wait:
        raise Problem(
            429,
            "too_many_failed_attempts",
            "Too many attempts with wrong keys",
            "Your address sent many keys that do not exist. Wait as long as `Retry-After` says.",
            headers={"Retry-After": str(wait)},
        )
    try:
        key = api_key_authenticate(token)
    except InvalidKey as error:
        _log_refusal(token, address, str(error))
        if error.guessed:
            GUESSES.add(address)
        raise Problem(
            401,
            "invalid_key",
            "The API key is not valid",
            "It is unknown, expired or revoked. Send `Authorization: Bearer <key>` with a "
            "current key.",
        ) from None
    if key.allowed_networks and not address_within(address, key.allowed_networks):
        _log_refusal(token, address, "the key is not for this address")
        raise Problem(
            403,
            "address_not_allowed",
            "The API key may not be used from this address",
            f"The request came from {address or 'an unknown address'}, which is in none of the "
            "key's networks.",
        )
    api_key_used(key=key)
    return key


def _log_refusal(token: str, address: Address | None, why: str) -> None:
    """Never the secret; the public part only where the whole looks like a key of ours."""
    shaped = _PREFIXED.match(token)
    logger.warning("key %s refused from %s: %s", shaped[1] if shaped else "?", address, why)
