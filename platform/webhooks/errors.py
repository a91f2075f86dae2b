"""What can go wrong between an event and its receiver."""


class WebhookError(Exception):
    """Base of this domain's errors. The message may be shown to the tenant."""


class WebhookURLRefused(WebhookError):
    """The URL, or an address behind it, is none that webhooks may be sent to."""


class WebhookHostUnknown(WebhookError):
    """The name in the URL could not be resolved."""


class WebhookUnanswered(WebhookError):
    """No complete answer came: the connection was refused or broke, or time ran out."""


class EndpointInactive(WebhookError):
    """The endpoint takes no deliveries; nothing was changed."""


class TooManyEndpoints(WebhookError):
    """The tenant has as many active endpoints as it may."""
