"""Only a trusted proxy may say who the client is."""

from ipaddress import ip_network

import pytest

from keybearer.server.http.addresses import TrustedProxies, client_address

PROXY = "10.0.0.1"


@pytest.mark.parametrize(
    ("peer", "forwarded", "client"),
    [
        pytest.param("203.0.113.9", ["198.51.100.1"], "203.0.113.9", id="a stranger's header is ignored"),
        pytest.param(PROXY, ["198.51.100.1"], "198.51.100.1", id="a trusted proxy names the client"),
        pytest.param(
            PROXY, ["6.6.6.6, 198.51.100.1"], "198.51.100.1", id="what the client claimed itself is not believed"
        ),
        pytest.param(PROXY, ["198.51.100.1", PROXY], "198.51.100.1", id="a chain of trusted proxies"),
        pytest.param(PROXY, [], PROXY, id="no header"),
        pytest.param(PROXY, ["not an address"], PROXY, id="rubbish"),
        pytest.param("", ["198.51.100.1"], "", id="a local socket"),
        pytest.param(PROXY, ["198.51.100.1:4711"], "198.51.100.1", id="with the client's port"),
        pytest.param(PROXY, ["[2001:db8::1]:4711"], "2001:db8::1", id="IPv6 with the client's port"),
        pytest.param(PROXY, ["[2001:db8::1]"], "2001:db8::1", id="IPv6 in brackets"),
        pytest.param(PROXY, ["2001:DB8:0::1"], "2001:db8::1", id="IPv6 written otherwise"),
        pytest.param(PROXY, ["fe80::1%eth0"], "fe80::1%eth0", id="IPv6 of this link"),
        pytest.param(PROXY, ["::ffff:198.51.100.1"], "198.51.100.1", id="IPv4 over an IPv6 socket"),
        pytest.param(PROXY, ["198.51.100.1:http"], PROXY, id="with a port that is none"),
    ],
)
def test_the_client_is_the_nearest_hop_that_is_no_trusted_proxy(peer: str, forwarded: list[str], client: str) -> None:
    assert client_address(peer, forwarded, frozenset({PROXY})) == client


@pytest.mark.parametrize(
    ("address", "is_trusted"),
    [
        pytest.param("10.1.2.3", True, id="in a network"),
        pytest.param("11.1.2.3", False, id="in none"),
        pytest.param("192.0.2.7", True, id="the one address"),
        pytest.param("192.0.2.8", False, id="its neighbour"),
        pytest.param("::ffff:10.1.2.3", True, id="IPv4 over an IPv6 socket"),
        pytest.param("2001:db8::1", True, id="IPv6"),
        pytest.param("2001:db9::1", False, id="another network of IPv6"),
        pytest.param("", False, id="a local socket"),
        pytest.param("10.1.2", False, id="no address"),
    ],
)
def test_a_proxy_is_trusted_by_its_network(address: str, is_trusted: bool) -> None:
    trusted = TrustedProxies([ip_network("10.0.0.0/8"), ip_network("192.0.2.7"), ip_network("2001:db8::/32")])
    assert (address in trusted) is is_trusted
    assert address not in TrustedProxies()
