"""Only one machine's address on the public Internet is public."""

from ipaddress import ip_address

import pytest

from keybearer.server.rules.public_addresses import is_public

PUBLIC = ("8.8.8.8", "93.184.215.14", "1.1.1.1", "223.255.255.255", "2606:4700::1111", "2a00:1450:4001:81b::200e")
INSIDE = {
    "unspecified": ("0.0.0.0", "0.1.2.3", "::"),  # noqa: S104 - nothing listens there
    "loopback": ("127.0.0.1", "127.255.255.254", "::1"),
    "private": ("10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.0.1", "fc00::1", "fd12:3456::1"),
    "link-local": ("169.254.169.254", "169.254.0.1", "fe80::1", "fe80::1%eth0", "febf::1"),
    "shared (CGNAT)": ("100.64.0.1", "100.127.255.255"),
    "multicast": ("224.0.0.1", "239.255.255.255", "ff02::1", "ff0e::1"),
    "broadcast and reserved": ("255.255.255.255", "240.0.0.1"),
    "site-local": ("fec0::1",),
    "documentation": ("192.0.2.1", "198.51.100.1", "203.0.113.1", "2001:db8::1", "3fff::1"),
    "benchmarks": ("198.18.0.1", "198.19.255.255", "2001:2::1"),
    "protocols": ("192.0.0.1", "192.0.0.170", "192.88.99.1"),
    "IPv4 in IPv6": ("::ffff:127.0.0.1", "::ffff:8.8.8.8", "::127.0.0.1", "::8.8.8.8"),
    "NAT64": ("64:ff9b::7f00:1", "64:ff9b::808:808", "64:ff9b:1::1"),
    "6to4 and Teredo": ("2002:7f00:1::", "2002:808:808::", "2001:0:7f00:1::", "2001::1"),
    "discard": ("100::1",),
}


@pytest.mark.parametrize("address", PUBLIC)
def test_an_address_of_the_internet_is_public(address: str) -> None:
    assert is_public(ip_address(address))


@pytest.mark.parametrize(
    "address", [pytest.param(one, id=f"{why} {one}") for why, found in INSIDE.items() for one in found]
)
def test_an_address_inside_some_network_is_not_public(address: str) -> None:
    assert not is_public(ip_address(address))


@pytest.mark.parametrize(
    ("outside", "inside"),
    [
        ("9.255.255.255", "10.0.0.0"),
        ("100.63.255.255", "100.64.0.0"),
        ("100.128.0.0", "100.127.255.255"),
        ("172.15.255.255", "172.16.0.0"),
        ("172.32.0.0", "172.31.255.255"),
        ("223.255.255.255", "224.0.0.0"),
    ],
)
def test_both_sides_of_an_edge(outside: str, inside: str) -> None:
    assert (is_public(ip_address(outside)), is_public(ip_address(inside))) == (True, False)
