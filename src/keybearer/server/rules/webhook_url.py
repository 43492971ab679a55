"""Which URLs a webhook may have, and what the parts of one are."""

import re
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
from typing import Final

from keybearer.server.rules.hosts import host_address, is_host, is_local_name
from keybearer.server.rules.public_addresses import is_public

MAX_URL: Final = 2_000

_DEFAULT_PORTS: Final = {"https": 443, "http": 80}
# RFC 3986's characters; what two readers could take for two places (a backslash, a blank, "@" in the host) is in none.
_PARTS: Final = re.compile(
    r"(https?)://((?:\[[0-9a-f:.]+\]|[a-z0-9.-]+))(?::([1-9][0-9]{0,4}))?"
    r"((?:/(?:[A-Za-z0-9\-._~!$&'()*+,;=:@/]|%[0-9A-Fa-f]{2})*)?(?:\?(?:[A-Za-z0-9\-._~!$&'()*+,;=:@/?]|%[0-9A-Fa-f]{2})*)?)"
)
_USER: Final = re.compile(r"[^/?#]*://[^/?#]*@")


@dataclass(frozen=True, slots=True)
class Place:
    """
    Where a URL leads.

    Args:
        host: a name, or an address as it stands in the URL.
        address: the address that *host* writes out; None if it is a name.
        authority: host and port as they stand in the URL, for the header ``Host``.
        target: path and query, as a request line has them.
    """

    scheme: str
    host: str
    address: IPv4Address | IPv6Address | None
    port: int
    authority: str
    target: str


def place_of(url: str) -> Place | None:
    """Return where *url* leads; None if no webhook could have it."""
    parts = _PARTS.fullmatch(url)
    if parts is None or not is_host(parts[2]) or int(parts[3] or 1) > 65_535:
        return None
    scheme, host = parts[1], parts[2]
    authority = f"{host}:{parts[3]}" if parts[3] else host
    target = parts[4] if parts[4].startswith("/") else f"/{parts[4]}"
    return Place(scheme, host, host_address(host), int(parts[3] or _DEFAULT_PORTS[scheme]), authority, target)


def problem(url: str, *, allows_private: bool) -> str | None:
    """
    Return a sentence on what keeps *url* from being a webhook's; None if nothing does.

    What its name resolves to is not known yet: that is judged at each delivery.

    Args:
        allows_private: whether addresses of this network are allowed, and http to them.
    """
    if not url:
        return "Enter the URL to send events to."
    if len(url) > MAX_URL:
        return f"The URL is too long. At most {MAX_URL} characters are accepted."
    if "#" in url:
        return "The URL has a fragment. Leave out # and what follows."
    if _USER.match(url):
        return "The URL has a user name before its host. Leave it and the @ out; the signature shows who sends."
    place = place_of(url)
    if place is None:
        return "Enter a complete URL such as https://example.com/webhooks: host in lower case, no spaces, ASCII only."
    is_inside = is_local_name(place.host) or (place.address is not None and not is_public(place.address))
    if is_inside and not allows_private:
        return "The URL leads to a private address. Events are sent to public addresses only."
    if place.scheme == "http" and not (allows_private and (is_inside or place.address is None)):
        return "The URL is not encrypted. Use https://."
    return None
