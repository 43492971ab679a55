"""`/oauth/introspect` and `/forward-auth` on a token that the node knows, beside a bare form echo and oidc-provider."""

from pathlib import Path
from typing import Final
from urllib.parse import urlencode

import httpx2

from bench.load import drive
from bench.measures import Candidate, Comparison, Figure, Pace
from bench.scripts import REDIRECT_URI, VERIFIER, App, Repeat, everywhere, post
from bench.servers import echo, keybearer, oidc_provider
from bench.stage import set_stage, sqlite_database
from bench.token_endpoint import PEERS_APP

LIMIT_GOAL: Final = 0.7
PEER_GOAL: Final = 6.0
_PEERS_PATH: Final = "/token/introspection"


async def measure(folder: Path, pace: Pace) -> Figure:
    """Run everybody side by side, each with one worker, and load them in turns."""
    url = await sqlite_database(folder / "introspection")
    stage = await set_stage(folder, url, 0)
    asked = urlencode({"token": stage.personal_token})
    key = f"Authorization: Bearer {stage.key}\r\n"
    gateways = f"Authorization: Bearer {stage.personal_token}\r\nX-Keybearer-Key: {stage.key}\r\n"
    forward = f"GET /forward-auth HTTP/1.1\r\nHost: 127.0.0.1\r\n{gateways}\r\n".encode("ascii")
    ours, gateway = Candidate("POST /oauth/introspect"), Candidate("GET /forward-auth")
    limit, peer = Candidate("bare ASGI form echo"), Candidate("oidc-provider in memory, introspection")
    with keybearer(folder, url) as server, echo(folder) as still, oidc_provider(folder, codes=1) as (theirs, texts):
        about = await _peers_question(theirs.port, texts[0])
        turns = (
            (ours, server.port, post("/oauth/introspect", asked, key)),
            (gateway, server.port, forward),
            (limit, still.port, post("/echo", asked, key)),
            (peer, theirs.port, about),
        )
        for _, port, request in turns:
            await drive(port, everywhere(Repeat(request)), pace.warm_up_s)
        for _ in range(pace.rounds):
            for candidate, port, request in turns:
                candidate.take(await drive(port, everywhere(Repeat(request)), pace.round_s))
    comparisons = [
        Comparison(mine, other, goal)
        for mine in (ours, gateway)
        for other, goal in ((limit, LIMIT_GOAL), (peer, PEER_GOAL))
    ]
    return Figure("A token that is known, asked about", (ours, gateway, limit, peer), tuple(comparisons))


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
