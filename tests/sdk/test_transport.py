"""What is said of a server that cannot be asked names what is likely to be wrong, in the words of whoever set it up."""

import asyncio
import socket

import pytest

from keybearer import Unavailable, Verifier
from keybearer.sdk.transport import Unanswered, demand_success
from tests.sdk.fake_node import KEY


@pytest.mark.parametrize(
    ("status", "about"),
    [
        pytest.param(301, "answers 301: .*give the address that it leads to", id="moved"),
        pytest.param(308, "answers 308: .*give the address that it leads to", id="moved for good"),
        pytest.param(401, "does not accept the resource server's key", id="the key"),
        pytest.param(403, "answers 403: .*something before it", id="a firewall"),
        pytest.param(404, "answers 404: .*address.*older than the SDK", id="another address"),
        pytest.param(502, "answers 502$", id="a gateway"),
    ],
)
def test_an_answer_that_is_none_is_told_with_what_is_likely_wrong(status: int, about: str) -> None:
    with pytest.raises(Unanswered, match=about):
        demand_success("https://auth.example.com", status)


async def test_a_proxy_that_the_environment_names_is_named_where_nobody_is_reached(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))  # nobody listens
        monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{closed.getsockname()[1]}")
        monkeypatch.delenv("NO_PROXY", raising=False)
        async with asyncio.timeout(30), Verifier("http://127.0.0.1:1", key=KEY) as verifier:
            with pytest.raises(Unavailable, match="the proxy that the environment names"):
                await verifier.ready(2)
