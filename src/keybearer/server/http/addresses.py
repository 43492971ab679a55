"""The client's address: the connection's own, or what a trusted proxy in front says."""

import re
from collections.abc import Container, Sequence
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Final

_REMEMBERED: Final = 1_024  # addresses
_WITH_PORT: Final = re.compile(r"(?:\[([0-9A-Fa-f:.]+)\]|([0-9.]+))(?::[0-9]{1,5})?")


class TrustedProxies:
    """
    The addresses that may set ``X-Forwarded-For``: all in some networks.

    An IPv4 address that came over an IPv6 socket (RFC 4291, 2.5.5.2) is the IPv4 address.
    """

    def __init__(self, networks: Sequence[IPv4Network | IPv6Network] = ()) -> None:
        self._networks = tuple(networks)
        self._has = lru_cache(_REMEMBERED)(self._look_up)

    def __contains__(self, address: object) -> bool:
        return bool(self._networks) and self._has(address)

    def _look_up(self, address: object) -> bool:
        found = _parsed(address)
        return found is not None and any(found in network for network in self._networks)


def client_address(peer: str, forwarded_for: Sequence[str], trusted: Container[str]) -> str:
    """
    Return the address of whoever sent the request.

    The list is read from its end: each trusted hop vouches for the one before it, and the first that is not trusted
    is the client. What an untrusted peer says of itself is ignored. Some proxies write the client's port, too: it is
    left out, and an IPv6 address is written as RFC 5952 has it.

    Args:
        peer: the connection's own address; '' for a local socket.
        forwarded_for: the values of ``X-Forwarded-For``, in order.
        trusted: addresses that may set it.
    """
    hops = [part.strip() for value in forwarded_for for part in value.split(",")]
    address = peer
    while hops and address in trusted:
        claimed = _claimed(hops.pop())
        if not claimed:
            break
        address = claimed
    return address


def plain_address(text: str) -> str:
    """Return an IPv4 address that came over an IPv6 socket (RFC 4291, 2.5.5.2) as what it is, any other as it is."""
    return str(_parsed(text) or text) if text.startswith("::ffff:") else text


@lru_cache(_REMEMBERED)
def _claimed(hop: str) -> str:
    """Return the address that a hop of the list is, as addresses are written; '' if it is not one."""
    with_port = _WITH_PORT.fullmatch(hop)
    return str(_parsed((with_port[1] or with_port[2]) if with_port else hop) or "")


def _parsed(text: object) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address(str(text))
    except ValueError:
        return None
    return (address.ipv4_mapped if isinstance(address, IPv6Address) else None) or address
