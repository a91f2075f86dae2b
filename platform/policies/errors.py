"""What goes wrong while policies are written, published and given to tenants."""


class PolicyError(Exception):
    """Base of these; the message is for the person who tried."""


class DraftPublished(PolicyError):
    """The draft is a version already and never changes."""


class SecondPersonNeeded(PolicyError):
    """Who wrote a draft does not publish it."""


class TooLate(PolicyError):
    """What has begun cannot be withdrawn, and nothing begins in the past."""
