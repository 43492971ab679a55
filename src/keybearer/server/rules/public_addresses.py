"""Which addresses the server may be sent to by somebody's URL: public ones, and nothing inside."""

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from typing import Final

# What `is_global` of one Python or another lets through. An IPv6 address that carries an IPv4 one leads to wherever
# that one lies, so none is taken: NAT64, 6to4, Teredo; mapped ones are outside 2000::/3.
_INSIDE: Final = (
    IPv4Network("0.0.0.0/8"),
    IPv4Network("100.64.0.0/10"),
    IPv4Network("192.0.0.0/24"),
    IPv4Network("192.88.99.0/24"),
    IPv4Network("224.0.0.0/3"),
    IPv6Network("64:ff9b::/96"),
    IPv6Network("64:ff9b:1::/48"),
    IPv6Network("2001::/23"),
    IPv6Network("2001:db8::/32"),
    IPv6Network("2002::/16"),
    IPv6Network("3fff::/20"),
)
_UNICAST: Final = IPv6Network("2000::/3")


def is_public(address: IPv4Address | IPv6Address) -> bool:
    """
    Tell whether *address* is one machine's on the public Internet.

    Private, loopback, link-local, shared (CGNAT), multicast, unspecified, reserved and documentation addresses are not,
    nor is an IPv6 address that has an IPv4 one inside.

    Source: the IANA special-purpose address registries (RFC 6890); RFC 4291 §2.4 (unicast), RFC 6052 §2.1 (NAT64).
    """
    if isinstance(address, IPv6Address) and (address.scope_id is not None or address not in _UNICAST):
        return False
    is_inside = any(address in network for network in _INSIDE if network.version == address.version)
    return address.is_global and not address.is_multicast and not is_inside
