"""Which addresses count as one asker's."""

from ipaddress import AddressValueError, IPv6Address, IPv6Network
from typing import Final

_PREFIX: Final = 64


def neighbourhood(asker: str) -> str:
    """
    Return what is counted for an asker: the /64 network of an IPv6 address, anything else as it is.

    Whoever has one IPv6 address has its network's 2^64, and could send each request from another.

    Source: RFC 6177 §2 (a site is given a /64 or more).
    """
    if ":" not in asker:
        return asker
    try:
        return str(IPv6Network((int(IPv6Address(asker)), _PREFIX), strict=False))
    except AddressValueError:
        return asker
