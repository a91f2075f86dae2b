"""What can be wrong with who asks."""


class AccountError(Exception):
    """Base of the errors of this app."""


class InvalidKey(AccountError):
    """The key is unknown, malformed, expired or revoked, or its tenant is not active."""


class KeyInFlight(AccountError):
    """A request with this idempotency key is under way; nothing was done."""


class KeyReused(AccountError):
    """The idempotency key came with another request before; nothing was done."""
