"""Networks that a key is bound to, as people write them."""

import ipaddress
from typing import Final

MOST_NETWORKS: Final = 50
_MAPPED: Final = ipaddress.IPv6Network("::ffff:0:0/96")


def network_normalise(text: str) -> str:
    """`192.0.2.7` to `192.0.2.7/32`, others as they are usually written.

    Raises `ValueError` where it is no network, has bits behind its mask, or is IPv4 written as
    IPv6, which no address would ever be found in.
    """
    try:
        network = ipaddress.ip_network(text.strip())
    except ValueError as error:
        raise ValueError(f"{error}; write a network as 192.0.2.0/24 or 2001:db8::/32") from error
    if isinstance(network, ipaddress.IPv6Network) and network.subnet_of(_MAPPED):
        raise ValueError(f"{text} is IPv4 written as IPv6; write it as IPv4")
    return str(network)
