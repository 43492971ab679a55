"""L5, I6: a request that a user's URL leads to reaches public machines alone, at the address that was looked at."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path

import httpx2
import pytest

from keybearer.server.records import Answer
from keybearer.server.webhooks.egress import (
    MAX_ANSWER_BYTES,
    PATIENCE_S,
    TROUBLES,
    Address,
    Egress,
    Network,
    connection,
)
from tests.support.certificates import Authority
from tests.support.receiver import Receiver, receiving

HEADERS = {"content-type": "application/json", "x-keybearer-attempt": "1"}
SOON_S = 0.3


@dataclass(slots=True)
class Outside:
    """The world as these tests make it up: each look-up of a name takes the next answer."""

    answers: list[Sequence[str] | OSError]
    asked: list[tuple[str, int]] = field(default_factory=list)
    sent: list[httpx2.Request] = field(default_factory=list)

    async def resolve(self, host: str, port: int) -> Sequence[Address]:
        self.asked.append((host, port))
        answer = self.answers[min(len(self.asked), len(self.answers)) - 1]
        if isinstance(answer, OSError):
            raise answer
        return [ip_address(one) for one in answer]

    def recording(self) -> Network:
        """Return a world in which every request is taken, and nothing is sent."""

        def take(request: httpx2.Request) -> httpx2.Response:
            self.sent.append(request)
            return httpx2.Response(204, content=_nothing())

        return Network(self.resolve, lambda: httpx2.MockTransport(take))

    def real(self) -> Network:
        """Return a world whose names are made up, and whose connections are real."""
        return Network(self.resolve)


async def _nothing() -> AsyncIterator[bytes]:
    yield b""


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with receiving() as prepared:
        yield prepared


async def posted(network: Network, url: str, *, allows_private: bool = False, patience_s: float = 30.0) -> Answer:
    egress = Egress(network, allows_private=allows_private, patience_s=patience_s)
    return await egress.post(url, b"{}", HEADERS)


async def test_the_request_goes_to_the_address_that_was_looked_at_under_the_name_that_was_typed() -> None:
    outside = Outside([["93.184.215.14"], ["127.0.0.1"]])
    answer = await posted(outside.recording(), "https://hooks.example:8443/a?b=%20c")
    assert answer == Answer(204)
    assert outside.asked == [("hooks.example", 8443)]
    (sent,) = outside.sent
    assert str(sent.url) == "https://93.184.215.14:8443/a?b=%20c"
    assert sent.headers["host"] == "hooks.example:8443"
    assert sent.extensions["sni_hostname"] == "hooks.example"
    assert sent.headers["x-keybearer-attempt"] == "1"


async def test_an_ipv6_address_is_one_too() -> None:
    outside = Outside([["2606:4700::1111"]])
    assert await posted(outside.recording(), "https://hooks.example/") == Answer(204)
    assert await posted(outside.recording(), "https://[2606:4700::1111]/") == Answer(204)
    assert [str(sent.url) for sent in outside.sent] == ["https://[2606:4700::1111]/"] * 2
    assert [sent.headers["host"] for sent in outside.sent] == ["hooks.example", "[2606:4700::1111]"]
    assert outside.asked == [("hooks.example", 443)]


@pytest.mark.parametrize(
    ("url", "addresses", "trouble"),
    [
        pytest.param("https://inside.example/", ["10.0.0.7"], "private", id="a private address"),
        pytest.param("https://inside.example/", ["127.0.0.1"], "private", id="loopback"),
        pytest.param("https://inside.example/", ["169.254.169.254"], "private", id="metadata"),
        pytest.param("https://inside.example/", ["::ffff:127.0.0.1"], "private", id="mapped"),
        pytest.param("https://inside.example/", ["64:ff9b::7f00:1"], "private", id="NAT64"),
        pytest.param("https://inside.example/", ["fe80::1%lo"], "private", id="link-local with a zone"),
        pytest.param("https://inside.example/", ["93.184.215.14", "10.0.0.7"], "private", id="one private of two"),
        pytest.param("https://127.0.0.1/", ["93.184.215.14"], "private", id="an address in the URL"),
        pytest.param("http://outside.example/", ["93.184.215.14"], "private", id="public, but not encrypted"),
        pytest.param("https://nobody.example/", OSError("no such name"), "unresolved", id="no such name"),
        pytest.param("https://nobody.example/", [], "unresolved", id="a name without addresses"),
        pytest.param("https://me@outside.example/", ["93.184.215.14"], "unresolved", id="a user in the URL"),
    ],
)
async def test_nothing_is_sent_to_where_no_webhook_may_lead(
    url: str, addresses: Sequence[str] | OSError, trouble: str
) -> None:
    outside = Outside([addresses])
    assert await posted(outside.recording(), url) == Answer(None, trouble)
    assert outside.sent == []


async def test_a_name_that_turns_private_between_two_attempts_is_refused_at_the_second() -> None:
    outside = Outside([["93.184.215.14"], ["127.0.0.1"]])
    assert await posted(outside.recording(), "https://rebound.example/") == Answer(204)
    assert await posted(outside.recording(), "https://rebound.example/") == Answer(None, "private")
    assert len(outside.sent) == 1


async def test_no_second_look_up_decides_where_the_connection_goes(receiver: Receiver) -> None:
    """The system knows no such name: a client that resolved it once more would reach nobody."""
    outside = Outside([["127.0.0.1"]])
    url = f"http://receiver.example:{receiver.port}/hooks"
    assert await posted(outside.real(), url, allows_private=True) == Answer(204)
    assert receiver.heard[0].headers["host"] == f"receiver.example:{receiver.port}"
    assert len(outside.asked) == 1


async def test_the_next_address_is_tried_where_nobody_listens_at_the_first(receiver: Receiver) -> None:
    outside = Outside([["::1", "127.0.0.1"]])
    url = f"http://receiver.example:{receiver.port}/hooks"
    assert await posted(outside.real(), url, allows_private=True) == Answer(204)
    assert len(receiver.heard) == 1


async def test_a_proxy_of_the_environment_is_not_asked(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    async with receiving() as proxy:
        for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        assert await posted(Network(), receiver.url, allows_private=True) == Answer(204)
    assert (len(receiver.heard), proxy.connections) == (1, 0)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_an_answer_and_no_way(receiver: Receiver, status: int) -> None:
    async with receiving() as inside:
        receiver.answers(status, f"location: {inside.url}")
        assert await posted(Network(), receiver.url, allows_private=True) == Answer(status)
    assert (len(receiver.heard), inside.connections) == (1, 0)


async def test_an_answer_without_end_is_left_after_some_kilobytes(receiver: Receiver) -> None:
    receiver.answer = b"HTTP/1.1 200 OK\r\ncontent-length: 10000000000\r\n\r\n" + b"x" * (64 * MAX_ANSWER_BYTES)
    assert await posted(Network(), receiver.url, allows_private=True) == Answer(200)


async def test_a_body_that_never_comes_does_not_take_the_answer_back(receiver: Receiver) -> None:
    receiver.answer = b"HTTP/1.1 202 Accepted\r\ncontent-length: 5\r\n\r\n"
    receiver.hangs_up = False
    assert await posted(Network(), receiver.url, allows_private=True) == Answer(202)


async def test_who_does_not_answer_in_time_has_not_answered(receiver: Receiver) -> None:
    receiver.may_answer.clear()
    answer = await posted(Network(), receiver.url, allows_private=True, patience_s=SOON_S)
    assert answer == Answer(None, "timeout")
    assert PATIENCE_S == 5.0


async def test_a_name_that_takes_too_long_is_no_answer_either() -> None:
    async def never(_host: str, _port: int) -> Sequence[Address]:
        await asyncio.Event().wait()
        raise AssertionError

    assert await posted(Network(never), "https://slow.example/", patience_s=SOON_S) == Answer(None, "timeout")


@pytest.mark.parametrize(
    ("answer", "trouble"),
    [
        pytest.param(b"", "protocol", id="nothing"),
        pytest.param(b"220 mail.example ESMTP\r\n", "protocol", id="another protocol"),
        pytest.param(b"HTTP/1.1 200 OK\r\nx: " + b"y" * 200_000 + b"\r\n\r\n", "protocol", id="a header without end"),
    ],
)
async def test_what_is_no_http_is_no_answer(receiver: Receiver, answer: bytes, trouble: str) -> None:
    receiver.answer = answer
    assert await posted(Network(), receiver.url, allows_private=True) == Answer(None, trouble)


async def test_where_nobody_listens_the_receiver_is_unreachable() -> None:
    async with receiving() as gone:
        url = gone.url
    assert await posted(Network(), url, allows_private=True) == Answer(None, "unreachable")
    assert set(TROUBLES) == {"timeout", "unresolved", "private", "unreachable", "tls", "protocol"}


async def test_a_certificate_has_to_be_trusted_and_of_the_name_that_was_typed(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    context = ssl.create_default_context(cafile=authority.certificate)

    def trusting() -> httpx2.AsyncBaseTransport:
        return httpx2.AsyncHTTPTransport(verify=context, trust_env=False)

    async with receiving(authority.server("hooks.example")) as receiver:
        outside = Outside([["127.0.0.1"]])
        typed = {name: f"https://{name}:{receiver.port}/hooks" for name in ("hooks.example", "other.example")}
        for connect, name, answer in (
            (trusting, "hooks.example", Answer(204)),
            (trusting, "other.example", Answer(None, "tls")),
            (connection, "hooks.example", Answer(None, "tls")),
        ):
            network = Network(outside.resolve, connect)
            assert await posted(network, typed[name], allows_private=True) == answer, name
        assert [heard.headers["host"] for heard in receiver.heard] == [f"hooks.example:{receiver.port}"]
