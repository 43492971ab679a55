"""What must look alike from outside: two requests of which an attacker would like to know which one hits something."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from bench.scripts import get, post
from bench.stage import TOKEN_PATH
from bench.timing_stage import Stage
from keybearer.server import issuing, secrets

_MINT: Final = issuing.Mint("kb", "sandbox")
_CLIENT_ID: Final = "/oauth/authorize tells whether a client exists (RFC 6749 §2.2: its id is not a secret)"
_CHECKSUM: Final = "its checksum tells that a text is a token; nobody guesses the 190 bits before it"
Questions = Iterator[tuple[bytes, bytes]]


@dataclass(frozen=True, slots=True)
class Pair:
    """
    What the *first* and the *second* request of each pair name at a door.

    Args:
        why_not_secret: what else tells them apart, where it is no secret which is which.
    """

    door: str
    first: str
    second: str
    questions: Questions
    why_not_secret: str = ""


def pairs_of(stage: Stage) -> Iterator[Pair]:
    """Make the pairs, in the order in which they are asked."""
    revoked = iter(stage.revoked)  # each is asked about once: what was refused is remembered for a moment
    team, member = "/api/v2/teams/{teamId}/members", "/api/v2/teams/{teamId}/members/{teamMemberId}"
    teams = _ids(stage, "/api/v2/teams/{}/members", stage.foreign_team)
    members = _ids(stage, f"/api/v2/teams/{stage.team}/members/{{}}", stage.foreign_member)
    tokens = ("token revoked", "token unknown")
    yield Pair("POST /login, password wrong", "address known", "address unknown", _sign_ins(stage))
    yield Pair("PATCH /api/v2/me, new address", "somebody's", "nobody's", _addresses(stage))
    yield Pair(f"GET {team}", "another team's id", "nothing's id", teams)
    yield Pair(f"GET {member}", "another team's id", "nothing's id", members)
    yield Pair("POST /oauth/token, secret wrong", "client known", "client unknown", _clients(stage), _CLIENT_ID)
    yield Pair("GET /api/v2/me", *tokens, _calls(stage, revoked), _CHECKSUM)
    yield Pair("POST /oauth/introspect", *tokens, _introspections(stage, revoked), _CHECKSUM)


def _clients(stage: Stage) -> Questions:
    """Each pair from an address of its own, because failures are limited by client and address."""
    unknown = secrets.random_client_id()
    for number in range(stage.plain):
        forwarded = f"X-Forwarded-For: 10.0.{number >> 8}.{number & 255}\r\n"
        form = f"grant_type=refresh_token&refresh_token={_MINT.text('ort')}&client_secret={_MINT.text('ocs')}"
        known, other = (f"{form}&client_id={client_id}" for client_id in (stage.client_id, unknown))
        yield post(TOKEN_PATH, known, forwarded), post(TOKEN_PATH, other, forwarded)


def _sign_ins(stage: Stage) -> Questions:
    """Each pair with other addresses, because wrong passwords are counted by address."""
    for number in range(stage.with_hash):
        known, unknown = (f"email={name}{number:05}%40example.com&password=wrong" for name in ("person", "nobody"))
        yield post("/login", known), post("/login", unknown)


def _addresses(stage: Stage) -> Questions:
    """Everybody asks in turn, because nobody is mailed more than a few links a day."""
    for number in range(stage.plain):
        token = stage.tokens[number % len(stage.tokens)]
        yield _patch(token, stage.taken_address), _patch(token, f"nobo{number:04}@example.com")


def _patch(token: str, email: str) -> bytes:
    body = json.dumps({"email": email})
    return (
        f"PATCH /api/v2/me HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {token}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n{body}"
    ).encode("ascii")


def _calls(stage: Stage, revoked: Iterator[str]) -> Questions:
    for _ in range(stage.plain):
        yield get("/api/v2/me", next(revoked)), get("/api/v2/me", _MINT.text("pat"))


def _introspections(stage: Stage, revoked: Iterator[str]) -> Questions:
    key = f"Authorization: Bearer {stage.key}\r\n"
    for _ in range(stage.plain):
        known, unknown = (f"token={text}" for text in (next(revoked), _MINT.text("pat")))
        yield post("/oauth/introspect", known, key), post("/oauth/introspect", unknown, key)


def _ids(stage: Stage, path: str, foreign: int) -> Questions:
    """The id that nothing has is as long as the other one."""
    unused = "9" * len(str(foreign))
    for _ in range(stage.plain):
        yield get(path.format(foreign), stage.tokens[0]), get(path.format(unused), stage.tokens[0])
