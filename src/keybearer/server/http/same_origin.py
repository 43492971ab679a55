"""Whether a POST comes from one of our own pages."""

import ipaddress
from typing import Final
from urllib.parse import urlsplit

_OURS: Final = frozenset({"same-origin", "none"})


def is_same_origin(fetch_site: str | None, origin: str | None, issuer: str) -> bool:
    """
    Tell whether a POST with these headers was made by one of our own pages, or by no browser at all.

    A browser says so itself in ``Sec-Fetch-Site``; one that is older, or that reaches us over plain HTTP, sends
    ``Origin`` with each POST; ``null`` could be anybody's and is refused. Neither is what programs send; they hold no
    cookie that a stranger's page could use.

    Args:
        fetch_site: the ``Sec-Fetch-Site`` header, None if absent.
        origin: the ``Origin`` header, None if absent.
        issuer: our own base URL.

    Source: Fetch Metadata §2.4, RFC 6454 §7.
    """
    if fetch_site is not None:
        return fetch_site in _OURS
    return origin is None or origin == origin_of(issuer)


def origin_of(url: str) -> str:
    """Return the origin of an absolute URL as browsers write it (RFC 6454 §6.2): no default port, no path."""
    parts = urlsplit(url)
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    default = {"http": 80, "https": 443}.get(parts.scheme)
    return f"{parts.scheme}://{host}" + (f":{parts.port}" if parts.port not in {None, default} else "")


def is_trustworthy(url: str) -> bool:
    """
    Tell whether browsers say ``Sec-Fetch-Site`` to what is at *url*: over TLS, or on this very machine.

    Source: Secure Contexts §3.1 (potentially trustworthy origins).
    """
    parts = urlsplit(url)
    return parts.scheme == "https" or is_this_machine(parts.hostname or "")


def is_this_machine(host: str) -> bool:
    """Tell whether *host*, a name or an address without brackets, is the machine that looks it up (RFC 6761 §6.3)."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
