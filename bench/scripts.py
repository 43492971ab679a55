"""What the connections say: one request again and again, codes traded for tokens, refresh tokens in chains."""

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode

import msgspec

from bench.load import CONNECTIONS, Script

REDIRECT_URI: Final = "http://127.0.0.1/callback"
# RFC 7636, appendix B: any verifier will do, as long as it is hashed each time.
VERIFIER: Final = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
CHALLENGE: Final = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"


class _Tokens(msgspec.Struct):
    refresh_token: str


_DECODER: Final = msgspec.json.Decoder(_Tokens)


@dataclass(frozen=True, slots=True)
class App:
    """A client as a token endpoint knows it, and where that endpoint is."""

    client_id: str
    client_secret: str
    token_path: str

    def post(self, **fields: str) -> bytes:
        """Write a request to the token endpoint, with the client's secret in the form."""
        form = urlencode({"client_id": self.client_id, "client_secret": self.client_secret, **fields})
        return post(self.token_path, form)


def get(path: str, token: str = "") -> bytes:
    """Write a GET request, with a bearer *token* unless it is empty."""
    bearer = f"Authorization: Bearer {token}\r\n" if token else ""
    return f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{bearer}\r\n".encode("ascii")


def post(path: str, form: str, headers: str = "") -> bytes:
    """Write a POST of an urlencoded *form*; *headers* are lines with their ends."""
    return (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/x-www-form-urlencoded\r\n"
        f"Content-Length: {len(form)}\r\n{headers}\r\n{form}"
    ).encode("ascii")


class Repeat:
    """The same request for as long as it lasts."""

    def __init__(self, request: bytes) -> None:
        self._request = request

    def request(self) -> bytes:
        """See `Script.request`."""
        return self._request

    def answered(self, body: bytes) -> None:
        """See `Script.answered`."""


class Exchange:
    """Codes out of a supply that all connections share, each traded for tokens once."""

    def __init__(self, app: App, codes: Iterator[str], gained: deque[str]) -> None:
        self._app = app
        self._codes = codes
        self._gained = gained

    def request(self) -> bytes | None:
        """See `Script.request`."""
        code = next(self._codes, None)
        if code is None:
            return None
        return self._app.post(
            grant_type="authorization_code", code=code, redirect_uri=REDIRECT_URI, code_verifier=VERIFIER
        )

    def answered(self, body: bytes) -> None:
        """See `Script.answered`."""
        self._gained.append(_DECODER.decode(body).refresh_token)


class Refresh:
    """
    Families of one connection in turn: each answer's refresh token is the family's next.

    Several, because a peer keeps a list of each grant's tokens and walks through it: one long chain would measure that.
    """

    def __init__(self, app: App, refresh_tokens: Iterable[str]) -> None:
        self._app = app
        self._waiting = deque(refresh_tokens)

    def request(self) -> bytes:
        """See `Script.request`."""
        return self._app.post(grant_type="refresh_token", refresh_token=self._waiting.popleft())

    def answered(self, body: bytes) -> None:
        """See `Script.answered`."""
        self._waiting.append(_DECODER.decode(body).refresh_token)


def everywhere(script: Script) -> list[Script]:
    """Play one script, which remembers nothing, on every connection."""
    return [script] * CONNECTIONS
