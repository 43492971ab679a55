"""`/oauth/introspect` and `/forward-auth` on a token that the node knows, beside a bare form echo and oidc-provider."""

from pathlib import Path
from typing import Final, NamedTuple
from urllib.parse import urlencode

import httpx2

from bench.load import drive
from bench.measures import Candidate, Comparison, Figure, Pace
from bench.scripts import REDIRECT_URI, VERIFIER, App, Repeat, everywhere, post
from bench.servers import echo, keybearer, oidc_provider
from bench.stage import Stage, postgres_database, set_stage, sqlite_database
from bench.token_endpoint import PEERS_APP
from tests.support.postgres import Cluster

LIMIT_GOAL: Final = 0.7
PEER_GOAL: Final = 6.0
_PEERS_PATH: Final = "/token/introspection"


class _Turn(NamedTuple):
    candidate: Candidate
    port: int
    request: bytes


async def measure(folder: Path, cluster: Cluster, pace: Pace) -> Figure:
    """Run everybody side by side, each with one worker, and load them in turns."""
    embedded = folder / "introspection"
    clustered = folder / "introspection on PostgreSQL"
    urls = await sqlite_database(embedded), await postgres_database(cluster, "introspection")
    clustered.mkdir()
    here, there = await set_stage(embedded, urls[0], 0), await set_stage(clustered, urls[1], 0)
    limit, peer = Candidate("bare ASGI form echo"), Candidate("oidc-provider in memory, introspection")
    with (
        keybearer(embedded, urls[0]) as server,
        keybearer(clustered, urls[1]) as node,
        echo(folder) as still,
        oidc_provider(folder, codes=1) as (theirs, texts),
    ):
        ours = [*_questions(here, server.port, "SQLite"), *_questions(there, node.port, "PostgreSQL")]
        turns = [
            *ours,
            _Turn(limit, still.port, _introspect(here, "/echo")),
            _Turn(peer, theirs.port, await _peers_question(theirs.port, texts[0])),
        ]
        for turn in turns:
            await drive(turn.port, everywhere(Repeat(turn.request)), pace.warm_up_s)
        for _ in range(pace.rounds):
            for turn in turns:
                turn.candidate.take(await drive(turn.port, everywhere(Repeat(turn.request)), pace.round_s))
    comparisons = [
        Comparison(turn.candidate, other, goal)
        for turn in ours
        for other, goal in ((limit, LIMIT_GOAL), (peer, PEER_GOAL))
    ]
    return Figure("A token that is known, asked about", tuple(turn.candidate for turn in turns), tuple(comparisons))


def _questions(stage: Stage, port: int, database: str) -> list[_Turn]:
    """Return what a resource server asks, and what a gateway does."""
    head = f"Host: 127.0.0.1\r\nAuthorization: Bearer {stage.personal_token}\r\nX-Keybearer-Key: {stage.key}\r\n"
    forward = f"GET /forward-auth HTTP/1.1\r\n{head}\r\n".encode("ascii")
    return [
        _Turn(Candidate(f"POST /oauth/introspect, {database}"), port, _introspect(stage, "/oauth/introspect")),
        _Turn(Candidate(f"GET /forward-auth, {database}"), port, forward),
    ]


def _introspect(stage: Stage, path: str) -> bytes:
    return post(path, urlencode({"token": stage.personal_token}), f"Authorization: Bearer {stage.key}\r\n")


async def _peers_question(port: int, code: str) -> bytes:
    """Trade a code for an opaque access token, and return the question about it."""
    form = {"grant_type": "authorization_code", "redirect_uri": REDIRECT_URI, "code_verifier": VERIFIER, "code": code}
    client = {"client_id": PEERS_APP.client_id, "client_secret": PEERS_APP.client_secret}
    async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}") as http:
        traded = (await http.post(PEERS_APP.token_path, data=client | form)).json()
        about = client | {"token": traded["access_token"]}
        told = (await http.post(_PEERS_PATH, data=about)).json()
    assert told["active"] is True, told
    return App(PEERS_APP.client_id, PEERS_APP.client_secret, _PEERS_PATH).post(token=about["token"])
