"""Answers that are read at a glance are read as h11 reads them; all others it does read."""

import re
from itertools import product
from unittest import mock

import h11
import pytest

from keybearer.sdk.reading import Answer, Reading
from keybearer.sdk.transport import MAX_ANSWER_BYTES, Unanswered

BODY = b'{"n": "1"}'
WHOLE = b"HTTP/1.1 200 OK\r\ndate: Thu, 26 Nov 2026 04:39:05 GMT\r\ncontent-length: 10\r\nx-id: 1\r\n\r\n" + BODY
START, LENGTH = "HTTP/1.1 200 OK", "content-length: 10"
STARTS = (
    *("HTTP/1.1 200", "HTTP/1.1 200 ", "HTTP/1.1 200 \0", "HTTP/1.1 204 No", "HTTP/1.1 404 No", "HTTP/1.0 200 OK"),
    *("HTTP/1.x 200 OK", "http/1.1 200 OK", "SSH-2.0", f"HTTP/1.1 100 Continue\r\n\r\n{START}"),
)
LINES = (
    *("content-length: 10", "Content-Length:10", "content-length: 9", "content-length: 11", "content-length: 0010"),
    *("content-length: +10", "content-length: 10, 10", "content-length: 10 ", "content-length : 10", "content-length:"),
    *("connection: close", "Connection: keep-alive", "connection: keep-alive, close", "connection:close"),
    *("transfer-encoding: chunked", "Transfer-Encoding: identity", "x-content-length: 9", "upgrade: h2c"),
    *("date: today", "x:", "x: \t1 ", "x: \xe9", "x: \0", "x: 1\n", " folded", "x y: 1", "x", ": 1", ""),
)
ENDS = (BODY, BODY[:-1], BODY + b"H", b"a\r\n" + BODY + b"\r\n0\r\n\r\n", b"")


def outcome(*pieces: bytes) -> Answer | None:
    """Return what the pieces come to, the connection closed behind the last; None: no answer."""
    reading = Reading()
    try:
        return next(filter(None, map(reading.take, pieces)), None) or reading.end()
    except h11.ProtocolError:
        return None


def by_h11_alone(*pieces: bytes) -> Answer | None:
    with mock.patch("keybearer.sdk.reading._PLAIN_HEAD", re.compile(b"(?!)")):
        return outcome(*pieces)


@pytest.mark.parametrize(
    "head",
    [
        *([start, LENGTH] for start in STARTS),
        *([START, line] for line in LINES),
        *([START, LENGTH, line] for line in LINES),
        *([START, line, LENGTH] for line in LINES),
    ],
    ids=repr,
)
def test_what_is_read_at_a_glance_is_read_as_h11_reads_it(head: list[str]) -> None:
    for end, cut in product(ENDS, (0, 5, -len(BODY), -1)):
        text = "\r\n".join([*head, "", ""]).encode("latin-1") + end
        assert outcome(text[:cut], text[cut:]) == by_h11_alone(text[:cut], text[cut:])


@pytest.mark.parametrize(
    ("pieces", "is_last"),
    [
        pytest.param([WHOLE], False, id="whole"),
        pytest.param([WHOLE[:-10], WHOLE[-10:-5], WHOLE[-5:]], False, id="the head first, then the body by and by"),
        pytest.param([WHOLE.replace(b"x-id: 1", b"Connection: keep-alive")], False, id="a proxy keeps it open"),
        pytest.param([WHOLE + b"H"], True, id="something is behind it"),
    ],
)
def test_an_answer_as_nodes_write_it_costs_one_look(pieces: list[bytes], *, is_last: bool) -> None:
    with mock.patch("keybearer.sdk.reading.h11.Connection", side_effect=AssertionError("h11 was asked")):
        assert outcome(*pieces) == Answer(200, BODY, is_last)


def test_an_answer_that_says_it_is_too_long_is_not_waited_for() -> None:
    with pytest.raises(Unanswered, match="more than"):
        Reading().take(WHOLE[:-10].replace(b"10", b"%d" % (MAX_ANSWER_BYTES + 1)))
