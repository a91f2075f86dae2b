"""What a key may hand on: never more than it has itself."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from ipaddress import IPv4Network, IPv6Network, ip_network

from accounts.errors import BeyondOwnRights
from accounts.models import APIKey, Quotas
from accounts.services import api_key_ends_at


def grant_check(
    *,
    giver: APIKey,
    scopes: Iterable[str],
    allowed_networks: Sequence[str],
    expires_at: datetime | None,
) -> None:
    """Raise `BeyondOwnRights` where a key with these rights could do what `giver` cannot.

    A key with quotas of its own makes none: with many of them it would pass its quotas.
    """
    if any(getattr(giver, field.name) is not None for field in Quotas._meta.get_fields()):
        raise BeyondOwnRights("", "a key with quotas of its own can hand nothing on")
    for scope in scopes:
        if scope not in giver.scopes:
            raise BeyondOwnRights("scopes", f"the key you use has not {scope} itself")
    end = api_key_ends_at(giver)
    if end is not None and (expires_at is None or expires_at > end):
        raise BeyondOwnRights(
            "expires_at", f"the key you use ends at {end.isoformat()}; give that or an earlier time"
        )
    if giver.allowed_networks:
        own = [ip_network(text) for text in giver.allowed_networks]
        if not allowed_networks:
            raise BeyondOwnRights(
                "allowed_networks", "the key you use is bound to networks; name some of these"
            )
        for text in allowed_networks:
            if not any(_is_part(ip_network(text), network) for network in own):
                raise BeyondOwnRights(
                    "allowed_networks", f"{text} is not within the networks of the key you use"
                )


def rotation_check(*, giver: APIKey, key: APIKey) -> None:
    """Raise `BeyondOwnRights` where the new secret of `key` would give its reader, who holds
    `giver`, more than that. Every key may rotate itself, but not by the secret that is ending."""
    if giver.pk == key.pk and not giver.previous_secret_used:
        return
    grant_check(
        giver=giver,
        scopes=key.scopes,
        allowed_networks=key.allowed_networks,
        expires_at=key.expires_at,
    )


def _is_part(part: IPv4Network | IPv6Network, whole: IPv4Network | IPv6Network) -> bool:
    return part.version == whole.version and part.subnet_of(whole)  # type: ignore[arg-type]
