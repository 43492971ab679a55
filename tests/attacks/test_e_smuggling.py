"""E15: bytes that two servers could read as different requests are refused, and the connection is closed."""

import pytest

from tests.support.processes import ServerProcess
from tests.support.wire import knock

POST = b"POST /oauth/token HTTP/1.1\r\nHost: x\r\n"
GET = b"GET /healthz HTTP/1.1\r\n"
CHUNKED = b"Transfer-Encoding: chunked\r\n"
END = b"0\r\n\r\n"
UPGRADE = b"Connection: Upgrade\r\nUpgrade: h2c\r\n"
LAST = GET + b"Host: x\r\nConnection: close\r\n\r\n"

SMUGGLED = {
    "both lengths": POST + b"Content-Length: 5\r\n" + CHUNKED + b"\r\n" + END,
    "both lengths, the other way round": POST + CHUNKED + b"Content-Length: 5\r\n\r\n" + END,
    "two lengths": POST + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nabcde",
    "one length twice": POST + b"Content-Length: 5\r\nContent-Length: 5\r\n\r\nabcde",
    "a list of lengths": POST + b"Content-Length: 5, 5\r\n\r\nabcde",
    "a signed length": POST + b"Content-Length: +5\r\n\r\nabcde",
    "a negative length": POST + b"Content-Length: -5\r\n\r\nabcde",
    "a hexadecimal length": POST + b"Content-Length: 0x5\r\n\r\nabcde",
    "a length with an underscore": POST + b"Content-Length: 0_5\r\n\r\nabcde",
    "an empty length": POST + b"Content-Length: \r\n\r\nabcde",
    "a length that overflows": POST + b"Content-Length: 18446744073709551621\r\n\r\nabcde",
    "a space before the colon": POST + b"Content-Length : 5\r\n\r\nabcde",
    "another space before the colon": POST + b"Transfer-Encoding : chunked\r\n\r\n" + END,
    "identity": POST + b"Transfer-Encoding: identity\r\n\r\nabcde",
    "nearly chunked": POST + b"Transfer-Encoding: xchunked\r\n\r\n" + END,
    "chunked last of two": POST + b"Transfer-Encoding: gzip, chunked\r\n\r\n" + END,
    "chunked first of two": POST + b"Transfer-Encoding: chunked, identity\r\n\r\n" + END,
    "chunked twice": POST + CHUNKED + CHUNKED + b"\r\n" + END,
    "chunked behind a vertical tab": POST + b"Transfer-Encoding: \x0bchunked\r\n\r\n" + END,
    "obs-fold": POST + b"X-A: b\r\n c\r\nContent-Length: 0\r\n\r\n",
    "chunked in an obs-fold": POST + b"Transfer-Encoding:\r\n chunked\r\n\r\n" + END,
    "bare LF": b"GET /healthz HTTP/1.1\nHost: x\n\n",
    "bare LF in the head": GET + b"Host: x\nX-A: b\r\n\r\n",
    "bare CR in the head": GET + b"Host: x\rX-A: b\r\n\r\n",
    "NUL in a value": GET + b"Host: x\r\nX-A: a\x00b\r\n\r\n",
    "NUL in a name": GET + b"Host: x\r\nX\x00A: b\r\n\r\n",
    "no colon": GET + b"Host: x\r\nX-A\r\n\r\n",
    "an empty name": GET + b"Host: x\r\n: b\r\n\r\n",
    "a space before the first header": GET + b" X-A: b\r\nHost: x\r\n\r\n",
    "no host": GET + b"\r\n",
    "two hosts": GET + b"Host: x\r\nHost: y\r\n\r\n",
    "a chunk size in no digits": POST + CHUNKED + b"\r\nzz\r\nabc\r\n" + END,
    "a chunk size with 0x": POST + CHUNKED + b"\r\n0x3\r\nabc\r\n" + END,
    "a negative chunk size": POST + CHUNKED + b"\r\n-3\r\nabc\r\n" + END,
    "a chunk size that overflows": POST + CHUNKED + b"\r\n10000000000000003\r\nabc\r\n" + END,
    "a chunk size and a bare LF": POST + CHUNKED + b"\r\n3\nabc\n0\n\n",
    "a chunk longer than it says": POST + CHUNKED + b"\r\n3\r\nabcd\r\n" + END,
    "a bare LF in a chunk extension": POST + CHUNKED + b"\r\n3;a\nb\r\nabc\r\n" + END,
    "a space behind a chunk size": POST + CHUNKED + b"\r\n3 \r\nabc\r\n" + END,
    "a length in the trailer": POST + CHUNKED + b"\r\n0\r\nContent-Length: 50\r\n\r\n",
    "another protocol": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "a version before there were headers": b"GET /healthz\r\n\r\n",
    "a version to come": b"GET /healthz HTTP/1.2\r\nHost: x\r\n\r\n",
    "no path": b"GET healthz HTTP/1.1\r\nHost: x\r\n\r\n",
    "a tab instead of a space": b"GET\t/healthz HTTP/1.1\r\nHost: x\r\n\r\n",
    "a method in small letters": b"get /healthz HTTP/1.1\r\nHost: x\r\n\r\n",
    "a path that is not ASCII": b"GET /h\xc3\xa9 HTTP/1.1\r\nHost: x\r\n\r\n",
    "a tunnel": b"CONNECT x:443 HTTP/1.1\r\nHost: x\r\n\r\n",
    "a tunnel to a path": b"CONNECT /healthz HTTP/1.1\r\nHost: x\r\n\r\n",
    "a tunnel in another protocol": b"CONNECT x:443 HTTP/1.1\r\nHost: x\r\n" + UPGRADE + b"\r\n",
}


@pytest.mark.parametrize("raw", SMUGGLED.values(), ids=SMUGGLED)
def test_e15_it_is_answered_400_once_and_the_connection_is_closed(impatient: ServerProcess, raw: bytes) -> None:
    heard = knock(impatient.port, raw + GET + b"Host: x\r\n\r\n")
    assert heard.statuses == [400], heard.raw
    assert heard.is_closed


@pytest.mark.parametrize("raw", [raw for raw in SMUGGLED.values() if raw.startswith(POST)])
def test_e15_nor_is_it_read_otherwise_where_hits_are_looked_for(impatient: ServerProcess, raw: bytes) -> None:
    heard = knock(impatient.port, raw.replace(b"/oauth/token", b"/oauth/introspect") + GET + b"Host: x\r\n\r\n")
    assert heard.statuses == [400], heard.raw
    assert heard.is_closed


def test_e15_a_body_nobody_asked_for_is_not_the_next_request(impatient: ServerProcess) -> None:
    inner = b"GET /readyz HTTP/1.1\r\nHost: x\r\n\r\n"
    heard = knock(impatient.port, GET + b"Host: x\r\nContent-Length: %d\r\n\r\n" % len(inner) + inner, patience_s=0.5)
    assert heard.statuses == [200]
    assert b"alive" in heard.raw


def test_e15_nothing_behind_a_request_to_close_is_served(impatient: ServerProcess) -> None:
    heard = knock(impatient.port, GET + b"Host: x\r\nConnection: close\r\n\r\n" + GET + b"Host: x\r\n\r\n")
    assert (heard.statuses, heard.is_closed) == ([200], True)


# What asks for another protocol, which is ignored: the body that a proxy in front reads is the body here, too.
INNER = b"GET /readyz HTTP/1.1\r\nHost: x\r\n\r\n"
MEASURED = b"Content-Length: %d\r\n" % len(INNER)
ASKING = {
    "a body of its own piece": [POST + UPGRADE + MEASURED + b"\r\n", INNER],
    "a body in one piece with the head": [POST + UPGRADE + MEASURED + b"\r\n" + INNER],
    "a body in chunks": [POST + UPGRADE + CHUNKED + b"\r\n", b"%x\r\n" % len(INNER) + INNER + b"\r\n" + END],
    "a head in two pieces": [POST + UPGRADE[:-5], UPGRADE[-5:] + MEASURED + b"\r\n" + INNER[:9], INNER[9:]],
    "a websocket": [POST + UPGRADE.replace(b"h2c", b"websocket") + MEASURED + b"\r\n", INNER],
}


@pytest.mark.parametrize("pieces", ASKING.values(), ids=ASKING)
def test_e15_a_body_behind_the_wish_for_another_protocol_is_not_the_next_request(
    impatient: ServerProcess, pieces: list[bytes]
) -> None:
    heard = knock(impatient.port, *pieces, LAST)
    assert heard.statuses == [415, 200], heard.raw  # the body was read: it is no form
    assert b"alive" in heard.raw


@pytest.mark.parametrize(
    "head",
    [GET + b"Host: x\r\nUpgrade: h2c\r\nConnection: upgrade, close\r\n", GET.replace(b"1.1", b"1.0") + UPGRADE],
    ids=["to be closed", "HTTP/1.0"],
)
def test_e15_with_such_a_wish_a_connection_may_end_too(impatient: ServerProcess, head: bytes) -> None:
    heard = knock(impatient.port, head + b"\r\n" + GET + b"Host: x\r\n\r\n")
    assert (heard.statuses, heard.is_closed) == ([200], True)


def test_e15_nor_is_what_comes_behind_such_a_wish_thrown_away(impatient: ServerProcess) -> None:
    asking = GET + b"Host: x\r\n" + UPGRADE + b"\r\n"
    assert knock(impatient.port, asking + asking + LAST).statuses == [200, 200, 200]


FORM = b"Content-Type: application/x-www-form-urlencoded\r\n"


@pytest.mark.parametrize(
    ("head", "trailer", "status"),
    [
        (POST, FORM, 415),
        (b"POST /oauth/token HTTP/1.1\r\n" + FORM, b"Host: x\r\n", 400),
        (POST + FORM, b"Host: y\r\n", 401),
    ],
    ids=["what the body is", "the only host", "another host"],
)
def test_e15_what_stands_behind_a_body_is_no_header(
    impatient: ServerProcess, head: bytes, trailer: bytes, status: int
) -> None:
    """Proxies that set or remove headers hand on trailers as they came (RFC 9110 §6.5.1)."""
    body = b"3\r\na=b\r\n0\r\n" + trailer + b"\r\n"
    heard = knock(impatient.port, head + CHUNKED + b"\r\n" + body, LAST)
    assert heard.statuses[:1] == [status], heard.raw
