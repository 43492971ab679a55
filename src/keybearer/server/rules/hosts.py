"""Hosts in a URL: domain names and addresses, each in its one usual spelling."""

import re
from ipaddress import AddressValueError, IPv4Address, IPv6Address
from typing import Final

_LABEL: Final = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")


def is_host(host: str) -> bool:
    """Tell whether *host* is a domain name in lower case or an address, an IPv6 one in brackets."""
    if host.startswith("["):
        return host_address(host) is not None
    labels = host.split(".")
    if re.fullmatch(r"[0-9]+|0x[0-9a-f]*", labels[-1]):  # 127.1 and 0x7f000001 are addresses to some, names to others
        return host_address(host) is not None
    return len(host) <= 253 and all(_LABEL.fullmatch(label) for label in labels)


def host_address(host: str) -> IPv4Address | IPv6Address | None:
    """Return the address that *host* writes out; None if it is a name."""
    try:
        return IPv6Address(host[1:-1]) if host.startswith("[") else IPv4Address(host)
    except AddressValueError:
        return None


def is_local_name(host: str) -> bool:
    """Tell whether *host* is a name that means the machine itself (RFC 6761 §6.3)."""
    return host == "localhost" or host.endswith(".localhost")
