"""The connection on which a verifier waits for news, against nodes that speak HTTP well and badly."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from keybearer.sdk.driver import Call
from keybearer.sdk.line import Line
from keybearer.sdk.transport import MAX_ANSWER_BYTES, Unanswered, is_direct
from keybearer.sdk.trust import trust_for
from tests.support.certificates import Authority

LONG_S = 60.0
BROKEN = "breaks off, or does not speak HTTP"
WHOLE = b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n" + b'{"n": "1"}'
CHUNKED = b'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\n{"n"\r\n6\r\n: "1"}\r\n0\r\n\r\n'
FAREWELL = WHOLE.replace(b"\r\n\r\n", b"\r\nconnection: close\r\n\r\n")


@dataclass
class Node:
    """Says the next of *answers* to each question, and may hang up then."""

    port: int = 0
    is_hanging_up: bool = False
    answers: list[bytes] = field(default_factory=lambda: [WHOLE])
    questions: list[bytes] = field(default_factory=list)
    connections: list[asyncio.StreamWriter] = field(default_factory=list)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections.append(writer)
        try:
            while True:
                self.questions.append(await reader.readuntil(b'{"q": 1}'))
                answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
                writer.write(answer)
                await writer.drain()
                if self.is_hanging_up:
                    break
        except (asyncio.IncompleteReadError, OSError):
            pass
        finally:
            writer.close()

    def call(self, host: str = "127.0.0.1", scheme: str = "http") -> Call:
        return Call(f"{scheme}://{host}:{self.port}/base", "/verifier/sync", {"q": 1}, LONG_S)


@asynccontextmanager
async def running(tls: ssl.SSLContext | None = None) -> AsyncIterator[Node]:
    node = Node()
    server = await asyncio.start_server(node.serve, "127.0.0.1", 0, ssl=tls)
    node.port = server.sockets[0].getsockname()[1]
    try:
        yield node
    finally:
        server.close()
        for each in node.connections:
            each.transport.abort()
        await server.wait_closed()


@asynccontextmanager
async def line(trust: ssl.SSLContext | None = None) -> AsyncIterator[Line]:
    made = Line("kb_rsk_key", trust or trust_for(["https://keybearer.example"]))
    try:
        yield made
    finally:
        await made.close()


async def test_question_after_question_goes_over_one_connection() -> None:
    async with running() as node, line() as asked:
        node.answers = [WHOLE, CHUNKED, WHOLE]
        assert [await asked.post(node.call()) for _ in range(3)] == [{"n": "1"}] * 3
        assert len(node.connections) == 1
        head = node.questions[0].decode().split("\r\n")
        assert head[0] == "POST /base/verifier/sync HTTP/1.1"
        assert {f"Host: 127.0.0.1:{node.port}", "Authorization: Bearer kb_rsk_key"} <= {
            name.title() + colon + value for name, colon, value in (each.partition(":") for each in head)
        }


@pytest.mark.parametrize(
    "first",
    [
        pytest.param(FAREWELL, id="the node closes it"),
        pytest.param(WHOLE + WHOLE, id="an answer comes twice: the second is none to the next question"),
    ],
)
async def test_a_connection_that_cannot_be_used_again_is_replaced_without_a_failure(first: bytes) -> None:
    async with running() as node, line() as asked:
        node.answers = [first, WHOLE]
        assert [await asked.post(node.call()) for _ in range(2)] == [{"n": "1"}] * 2
        assert len(node.connections) == 2


async def test_what_comes_unasked_ends_the_connection() -> None:
    async with running() as node, line() as asked:
        await asked.post(node.call())
        node.connections[0].write(WHOLE.replace(b'"1"', b'"2"'))
        async with asyncio.timeout(LONG_S):
            await node.connections[0].wait_closed()
        assert await asked.post(node.call()) == {"n": "1"}


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        pytest.param(WHOLE[:-1], BROKEN, id="cut off"),
        pytest.param(CHUNKED[:-5], BROKEN, id="cut off in its last chunk"),
        pytest.param(WHOLE.replace(b"10", b"%d" % (MAX_ANSWER_BYTES + 1)), "more than", id="too long by its own word"),
        pytest.param(b"", BROKEN, id="nothing"),
        pytest.param(b"SSH-2.0-OpenSSH_9.2\r\n", BROKEN, id="no HTTP"),
        pytest.param(b"HTTP/1.1 200 OK\r\nx: " + b"x" * 100_000, BROKEN, id="a head without an end"),
        pytest.param(b"HTTP/1.1 101 Switching Protocols\r\n\r\n", BROKEN, id="another protocol"),
        pytest.param(b"HTTP/1.1 401 No\r\ncontent-length: 0\r\n\r\n", "does not accept", id="the key is refused"),
        pytest.param(b"HTTP/1.1 503 No\r\ncontent-length: 0\r\n\r\n", "answers 503", id="unavailable"),
        pytest.param(WHOLE.replace(b'"n": ', b'"n"   '), "not JSON", id="no JSON"),
    ],
)
async def test_what_is_no_answer_is_none_and_the_next_question_is_answered(answer: bytes, why: str) -> None:
    async with running() as node, line() as asked:
        node.answers, node.is_hanging_up = [answer, WHOLE], why == BROKEN
        with pytest.raises(Unanswered, match=why):
            await asked.post(node.call())
        assert await asked.post(node.call()) == {"n": "1"}


async def test_a_node_is_believed_only_under_a_certificate_of_somebody_trusted(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    trust = ssl.create_default_context(cafile=authority.certificate)
    async with running(authority.server("localhost")) as node:
        async with line(trust=trust) as asked:
            assert await asked.post(node.call("localhost", "https")) == {"n": "1"}
            with pytest.raises(Unanswered, match="CERTIFICATE_VERIFY_FAILED"):  # it is nobody else's
                await asked.post(node.call("127.0.0.1", "https"))
        async with line() as careful:
            with pytest.raises(Unanswered, match="CERTIFICATE_VERIFY_FAILED"):
                await careful.post(node.call("localhost", "https"))


@pytest.mark.parametrize(("name", "is_free"), [("HTTPS_PROXY", False), ("ALL_PROXY", False), ("NO_PROXY", True)])
def test_where_the_environment_names_a_proxy_the_way_is_not_direct(
    monkeypatch: pytest.MonkeyPatch, name: str, *, is_free: bool
) -> None:
    for each in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(each, raising=False)
        monkeypatch.delenv(each.lower(), raising=False)
    monkeypatch.setenv(name, "http://proxy.example:3128")
    assert is_direct() is is_free
