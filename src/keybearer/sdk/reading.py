"""Reads one HTTP answer from a connection: directly if it is written in the usual way, otherwise by h11."""

import re
from typing import Final, NamedTuple

import h11

from keybearer.sdk.transport import MAX_ANSWER_BYTES, Unanswered

# Any line of a head but those that say where the answer ends, and what becomes of the connection then.
_LINE: Final = rb"(?!content-length:|transfer-encoding:|connection:(?! ?keep-alive\r))[\w-]+:[\t -~]*\r\n"
_PLAIN_HEAD: Final = re.compile(
    rb"(?-i:HTTP)/1\.1 200 [ -~]*\r\n(?:%b)*content-length: ?([0-9]{1,9})\r\n(?:%b)*\r\n" % (_LINE, _LINE),
    re.IGNORECASE,
)
_POST: Final = h11.Request(method="POST", target="/", headers=[("host", "node"), ("content-length", "0")])


class Answer(NamedTuple):
    """
    A whole answer.

    Args:
        is_last: nothing can be asked on this connection any more.
    """

    status: int
    text: bytes
    is_last: bool


class Reading:
    """
    Takes the pieces of one answer to a POST.

    Nodes write their answers plainly, every event has all verifiers read one, and h11 takes twenty times as long over
    it as one look does. Whatever is not plain is read by h11, from its first byte on.
    """

    def __init__(self) -> None:
        self._come = bytearray()
        self._http: h11.Connection | None = None
        self._status, self._text = 0, bytearray()

    def take(self, piece: bytes) -> Answer | None:
        """
        Take a piece; return the answer if that makes it whole.

        Raises:
            h11.ProtocolError: it is no answer.
            Unanswered: it is too long.
        """
        if self._http is None:
            self._come += piece
            head = _PLAIN_HEAD.match(self._come)
            if head:
                return self._plain(head.end(), int(head[1]))
            self._http, piece = _in_full(), bytes(self._come)
        self._http.receive_data(piece)
        return self._read(self._http)

    def end(self) -> Answer | None:
        """Return the answer if it is whole now that the connection was closed; raises what `take` does."""
        http = self._http
        if http is None:
            http = _in_full()
            http.receive_data(bytes(self._come))
        http.receive_data(b"")
        return self._read(http)

    def _plain(self, begin: int, length: int) -> Answer | None:
        _demand_brevity(length)
        end = begin + length
        if len(self._come) < end:
            return None
        return Answer(200, bytes(self._come[begin:end]), is_last=len(self._come) > end)

    def _read(self, http: h11.Connection) -> Answer | None:
        while not isinstance(event := http.next_event(), h11.EndOfMessage):
            if event is h11.NEED_DATA:
                return None
            if isinstance(event, h11.Response):
                self._status = event.status_code
            elif isinstance(event, h11.Data):
                self._text += event.data
                _demand_brevity(len(self._text))
            elif not isinstance(event, h11.InformationalResponse):
                raise h11.RemoteProtocolError("the connection was closed, or is for something else")
        can_go_on = http.our_state is http.their_state is h11.DONE and not http.trailing_data[0]
        return Answer(self._status, bytes(self._text), is_last=not can_go_on)


def _in_full() -> h11.Connection:
    """Return a connection on which a question was put."""
    http = h11.Connection(h11.CLIENT)
    http.send(_POST)
    http.send(h11.EndOfMessage())
    return http


def _demand_brevity(length: int) -> None:
    if length > MAX_ANSWER_BYTES:
        raise Unanswered(f"a node answers with more than {MAX_ANSWER_BYTES} bytes")
