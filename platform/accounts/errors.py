"""What can be wrong with who asks."""


class AccountError(Exception):
    """Base of the errors of this app."""


class InvalidKey(AccountError):
    """The key is unknown, malformed, expired or revoked, or its tenant is not active.

    `why` is for the log, never for the caller. `guessed`: the secret is none that ever was.
    """

    def __init__(self, why: str, *, guessed: bool = False) -> None:
        super().__init__(why)
        self.guessed = guessed


class BeyondOwnRights(AccountError):
    """A key would give more than it has; `field` names what."""

    def __init__(self, field: str, what: str) -> None:
        super().__init__(what)
        self.field = field


class TooManyKeys(AccountError):
    """The tenant has as many keys as it may."""


class KeyEnded(AccountError):
    """The key is expired or revoked: it can only be replaced."""


class KeyInFlight(AccountError):
    """A request with this idempotency key is under way; nothing was done."""


class KeyReused(AccountError):
    """The idempotency key came with another request before; nothing was done."""
