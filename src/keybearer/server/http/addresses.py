"""The client's address: the connection's own, or what a trusted proxy in front says."""

from collections.abc import Container, Sequence
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Final

_REMEMBERED: Final = 1_024  # addresses


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
    is the client. What an untrusted peer says of itself is ignored.

    Args:
        peer: the connection's own address; '' for a local socket.
        forwarded_for: the values of ``X-Forwarded-For``, in order.
        trusted: addresses that may set it.
    """
    hops = [part.strip() for value in forwarded_for for part in value.split(",")]
    address = peer
    while hops and address in trusted:
        claimed = hops.pop()
        if _parsed(claimed) is None:
            break
        address = claimed
    return address


def _parsed(text: object) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address(str(text))
    except ValueError:
        return None
    return (address.ipv4_mapped if isinstance(address, IPv6Address) else None) or address
