"""What can be wrong with who asks."""


class AccountError(Exception):
    """Base of the errors of this app."""


class InvalidKey(AccountError):
    """The key is unknown, malformed, expired or revoked, or its tenant is not active."""
