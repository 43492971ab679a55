"""Where the server listens, and what it takes its own address to be."""

import socket
from contextlib import closing
from pathlib import Path

import pytest

from keybearer.cli.running import listen, own_address
from keybearer.server.settings import Settings


def has_ipv6() -> bool:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        return False
    return True


needs_ipv6 = pytest.mark.skipif(not has_ipv6(), reason="this machine has no IPv6")


@needs_ipv6
@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
def test_all_addresses_of_ipv6_are_those_of_ipv4_too(address: str) -> None:
    with closing(listen("::", 0)) as listener:
        socket.create_connection((address, listener.getsockname()[1]), timeout=20).close()


@pytest.mark.parametrize(
    ("host", "name"),
    [
        pytest.param("::1", "[::1]", marks=needs_ipv6),
        pytest.param("::", "127.0.0.1", marks=needs_ipv6),
        ("127.0.0.1", "127.0.0.1"),
    ],
)
def test_where_no_issuer_is_chosen_it_is_an_address_that_is_listened_on(host: str, name: str, tmp_path: Path) -> None:
    with closing(listen(host, 0)) as listener:
        issuer = own_address(Settings(data_dir=tmp_path), listener).issuer
        assert issuer == f"http://{name}:{listener.getsockname()[1]}"
