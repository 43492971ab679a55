"""Raw bytes to a server and what comes back: for what no honest client would send."""

import re
import socket
from dataclasses import dataclass

_STATUS = re.compile(rb"HTTP/1\.1 (\d{3}) ")  # of a second answer, too, which follows on the first one's last letter


@dataclass(frozen=True, slots=True)
class Heard:
    """What the server said until it closed the connection or nothing more came."""

    raw: bytes
    is_closed: bool

    @property
    def statuses(self) -> list[int]:
        """The status of each answer, in order."""
        return [int(status) for status in _STATUS.findall(self.raw)]


def knock(port: int, *pieces: bytes, patience_s: float = 20) -> Heard:
    """
    Send *pieces* one after the other, and listen.

    Args:
        patience_s: how long to listen when nothing comes; leave it long where the connection is to be closed.
    """
    with socket.create_connection(("127.0.0.1", port), timeout=patience_s) as connection:
        heard = b""
        try:
            for piece in pieces:
                connection.sendall(piece)
            while piece := connection.recv(65536):
                heard += piece
        except TimeoutError:
            return Heard(heard, is_closed=False)
        except ConnectionError:
            pass
        return Heard(heard, is_closed=True)
