"""Where a request comes from, as far as that can be known.

`X-Forwarded-For` is written by whoever likes to, so it is believed only as far as proxies wrote it
that the operator named (`TRUSTED_PROXIES`): read from its end, the first address that is none of
theirs is the client's.
"""

import ipaddress
import re
from collections.abc import Iterable
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from typing import Final

from django.conf import settings
from django.http import HttpRequest

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

# Some proxies add the port: 192.0.2.7:4711, [2001:db8::7]:4711.
_WITH_PORT: Final = re.compile(r"\[([0-9A-Fa-f:.]+)\](?::\d{1,5})?|(\d+\.\d+\.\d+\.\d+):\d{1,5}")


def client_address(request: HttpRequest) -> Address | None:
    """The address of the client, None where it cannot be known: a trusted proxy passed on
    something that is no address, or the server listens on a socket without addresses."""
    address = _address(request.META.get("REMOTE_ADDR", ""))
    trusted = _networks(settings.ENVIRONMENT.trusted_proxies)
    if address is None or not _is_within(address, trusted):
        return address
    for hop in reversed(request.headers.get("X-Forwarded-For", "").split(",")):
        if not hop.strip():
            continue
        address = _address(hop.strip())
        if address is None or not _is_within(address, trusted):
            return address
    return address


def address_within(address: Address | None, networks: Iterable[str]) -> bool:
    """Whether the address is in one of the networks; an unknown one is in none."""
    return address is not None and _is_within(address, _networks(tuple(networks)))


@lru_cache(maxsize=1024)
def _networks(texts: tuple[str, ...]) -> tuple[Network, ...]:
    return tuple(ipaddress.ip_network(text) for text in texts)


def _is_within(address: Address, networks: Iterable[Network]) -> bool:
    return any(address in network for network in networks)


def _address(text: str) -> Address | None:
    """Read an address; one of IPv4 in the clothes of IPv6 is one of IPv4."""
    with_port = _WITH_PORT.fullmatch(text)
    try:
        address = ipaddress.ip_address(
            (with_port[1] or with_port[2]) if with_port is not None else text
        )
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address
