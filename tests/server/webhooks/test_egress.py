"""L5, I6: a request that a user's URL leads to reaches public machines alone, at the address that was looked at."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path

import pytest

from keybearer.server.records import Answer
from keybearer.server.rules.webhook_url import Place
from keybearer.server.webhooks.egress import PATIENCE_S, TROUBLES, Egress, Network
from keybearer.server.webhooks.exchange import MAX_BODY_BYTES, Connection, connected
from keybearer.server.webhooks.names import Address
from tests.support.certificates import Authority
from tests.support.receiver import NO_CONTENT, Receiver, receiving

HEADERS = {"content-type": "application/json", "x-keybearer-attempt": "1"}
SOON_S = 0.3
TEAM = 1


@dataclass(slots=True)
class Outside:
    """The world as these tests make it up: each look-up of a name takes the next answer."""

    answers: list[Sequence[str] | OSError]
    asked: list[tuple[str, int]] = field(default_factory=list)
    reached: list[tuple[str, Place]] = field(default_factory=list)

    async def resolve(self, host: str, port: int) -> Sequence[Address]:
        self.asked.append((host, port))
        answer = self.answers[min(len(self.asked), len(self.answers)) - 1]
        if isinstance(answer, OSError):
            raise answer
        return [ip_address(one) for one in answer]

    def with_one_receiver(self, receiver: Receiver) -> Network:
        """Return a world in which every connection leads to the receiver, in the clear."""

        async def connect(address: Address, place: Place) -> Connection:
            self.reached.append((str(address), place))
            return await asyncio.open_connection("127.0.0.1", receiver.port)

        return Network(self.resolve, connect)

    def real(self) -> Network:
        """Return a world whose names are made up, and whose connections are real."""
        return Network(self.resolve)


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with receiving() as prepared:
        yield prepared


async def posted(network: Network, url: str, *, allows_private: bool = False, patience_s: float = 30.0) -> Answer:
    egress = Egress(network, allows_private=allows_private, patience_s=patience_s)
    return await egress.post(TEAM, url, b"{}", HEADERS)


async def test_the_request_goes_to_the_address_that_was_looked_at_under_the_name_that_was_typed(
    receiver: Receiver,
) -> None:
    outside = Outside([["93.184.215.14"], ["127.0.0.1"]])
    answer = await posted(outside.with_one_receiver(receiver), "https://hooks.example:8443/a/../b?c=%20d")
    assert answer == Answer(204)
    assert outside.asked == [("hooks.example", 8443)]
    ((address, place),) = outside.reached
    assert (address, place.port, place.host, place.scheme) == ("93.184.215.14", 8443, "hooks.example", "https")
    (heard,) = receiver.heard
    assert (heard.method, heard.path, heard.body) == ("POST", "/a/../b?c=%20d", b"{}")
    assert heard.headers == HEADERS | {"host": "hooks.example:8443", "content-length": "2", "connection": "close"}


@pytest.mark.parametrize(("url", "path"), [("https://a.example", "/"), ("https://a.example?b=c", "/?b=c")])
async def test_a_url_without_a_path_has_the_root(receiver: Receiver, url: str, path: str) -> None:
    assert await posted(Outside([["93.184.215.14"]]).with_one_receiver(receiver), url) == Answer(204)
    assert receiver.heard[0].path == path


async def test_an_ipv6_address_is_one_too(receiver: Receiver) -> None:
    outside = Outside([["2606:4700::1111"]])
    assert await posted(outside.with_one_receiver(receiver), "https://hooks.example/") == Answer(204)
    assert await posted(outside.with_one_receiver(receiver), "https://[2606:4700::1111]/") == Answer(204)
    assert [address for address, _ in outside.reached] == ["2606:4700::1111"] * 2
    assert [heard.headers["host"] for heard in receiver.heard] == ["hooks.example", "[2606:4700::1111]"]
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
    receiver: Receiver, url: str, addresses: Sequence[str] | OSError, trouble: str
) -> None:
    outside = Outside([addresses])
    assert await posted(outside.with_one_receiver(receiver), url) == Answer(None, trouble)
    assert (outside.reached, receiver.connections) == ([], 0)


async def test_a_name_that_turns_private_between_two_attempts_is_refused_at_the_second(receiver: Receiver) -> None:
    outside = Outside([["93.184.215.14"], ["127.0.0.1"]])
    assert await posted(outside.with_one_receiver(receiver), "https://rebound.example/") == Answer(204)
    assert await posted(outside.with_one_receiver(receiver), "https://rebound.example/") == Answer(None, "private")
    assert len(outside.reached) == 1


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
    receiver.answer = b"HTTP/1.1 200 OK\r\ncontent-length: 10000000000\r\n\r\n" + b"x" * (64 * MAX_BODY_BYTES)
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
        pytest.param(b"HTTP/1.1 200 OK\r\n" + b"x: y\r\n" * 20_000 + b"\r\n", "protocol", id="headers without end"),
        pytest.param(b"HTTP/1.1 200 OK\r\nx: y\r\n", "protocol", id="half a head"),
        pytest.param(b"HTTP/1.1 2000 OK\r\n\r\n", "protocol", id="a status of four digits"),
        pytest.param(b"HTTP/1.1 099 No\r\n\r\n", "protocol", id="a status below 100"),
        pytest.param(b"HTTP/2.0 200 OK\r\n\r\n", "protocol", id="a version that was not asked for"),
        pytest.param(b"\x16\x03\x01\x02\x00\x01\x00\x01", "protocol", id="TLS where none was expected"),
    ],
)
async def test_what_is_no_http_is_no_answer(receiver: Receiver, answer: bytes, trouble: str) -> None:
    receiver.answer = answer
    assert await posted(Network(), receiver.url, allows_private=True) == Answer(None, trouble)


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        pytest.param(
            b"HTTP/1.1 103 Hints\r\nlink: x\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n", 204, id="hints come first"
        ),
        pytest.param(
            b"HTTP/1.1 101 Switching\r\nupgrade: x\r\n\r\n", 101, id="another protocol is no answer to wait for"
        ),
        pytest.param(b"HTTP/1.0 200\r\n\r\n", 200, id="an old version, and no reason"),
        pytest.param(b"HTTP/1.1 200 OK\ncontent-length: 0\n\n", 200, id="bare line feeds"),
    ],
)
async def test_the_status_counts_however_it_is_dressed(receiver: Receiver, answer: bytes, status: int) -> None:
    receiver.answer = answer
    assert await posted(Network(), receiver.url, allows_private=True) == Answer(status)


async def test_a_body_of_known_length_is_not_waited_for_beyond_its_end(receiver: Receiver) -> None:
    receiver.answer, receiver.hangs_up = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", False
    answers = [await posted(Network(), receiver.url, allows_private=True) for _ in range(20)]
    assert answers == [Answer(200)] * 20


async def test_interim_answers_are_not_read_without_end(receiver: Receiver) -> None:
    """Each of them takes time from everybody else, and they come as fast as a receiver likes."""
    receiver.answer = b"HTTP/1.1 100 Continue\r\n\r\n" * 5 + NO_CONTENT
    assert await posted(Network(), receiver.url, allows_private=True) == Answer(None, "protocol")
    receiver.answer = b"HTTP/1.1 100 Continue\r\n\r\n" * 4 + NO_CONTENT
    assert await posted(Network(), receiver.url, allows_private=True) == Answer(204)


async def test_a_body_is_not_taken_apart(receiver: Receiver) -> None:
    """One in chunks of one byte would be work without end; what is in it matters to nobody."""
    receiver.answer = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n" + b"1\r\na\r\n" * 200_000
    taken: list[int] = []

    class Counting(asyncio.StreamReader):
        async def read(self, n: int = -1) -> bytes:
            taken.append(len(heard := await super().read(n)))
            return heard

    async def connect(_address: Address, place: Place) -> Connection:
        reader, loop = Counting(), asyncio.get_running_loop()
        protocol = asyncio.StreamReaderProtocol(reader)
        transport, _ = await loop.create_connection(lambda: protocol, "127.0.0.1", place.port)
        return reader, asyncio.StreamWriter(transport, protocol, reader, loop)

    network = Network(Outside([["127.0.0.1"]]).resolve, connect)
    assert await posted(network, receiver.url, allows_private=True) == Answer(200)
    assert sum(taken) <= MAX_BODY_BYTES


async def test_where_nobody_listens_the_receiver_is_unreachable() -> None:
    async with receiving() as gone:
        url = gone.url
    assert await posted(Network(), url, allows_private=True) == Answer(None, "unreachable")
    assert set(TROUBLES) == {"timeout", "unresolved", "private", "unreachable", "tls", "protocol"}


async def test_a_certificate_has_to_be_trusted_and_of_the_name_that_was_typed(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    context = ssl.create_default_context(cafile=authority.certificate)

    async def trusting(address: Address, place: Place) -> Connection:
        return await connected(address, place, context)

    async with receiving(authority.server("hooks.example")) as receiver:
        outside = Outside([["127.0.0.1"]])
        typed = {name: f"https://{name}:{receiver.port}/hooks" for name in ("hooks.example", "other.example")}
        for connect, name, answer in (
            (trusting, "hooks.example", Answer(204)),
            (trusting, "other.example", Answer(None, "tls")),
            (connected, "hooks.example", Answer(None, "tls")),
        ):
            network = Network(outside.resolve, connect)
            assert await posted(network, typed[name], allows_private=True) == answer, name
        assert [heard.headers["host"] for heard in receiver.heard] == [f"hooks.example:{receiver.port}"]
