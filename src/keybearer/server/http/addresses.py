"""The client's address: the connection's own, or what a trusted proxy in front says."""

import ipaddress
from collections.abc import Sequence


def client_address(peer: str, forwarded_for: Sequence[str], trusted: frozenset[str]) -> str:
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
        if not _is_address(claimed):
            break
        address = claimed
    return address


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
