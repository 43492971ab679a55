"""Only a trusted proxy may say who the client is."""

import pytest

from keybearer.server.http.addresses import client_address

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
    ],
)
def test_the_client_is(peer: str, forwarded: list[str], client: str) -> None:
    assert client_address(peer, forwarded, frozenset({PROXY})) == client
