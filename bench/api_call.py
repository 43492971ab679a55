"""`GET /api/v2/me` with a personal token, beside the same server answering a constant."""

from pathlib import Path

from bench.load import drive
from bench.measures import Candidate, Comparison, Figure, Pace
from bench.scripts import Repeat, everywhere, get
from bench.servers import constant, keybearer
from bench.stage import set_stage, sqlite_database

GOAL = 0.5


async def measure(folder: Path, pace: Pace) -> Figure:
    """Run both servers and load them in turns."""
    url = await sqlite_database(folder / "calls")
    stage = await set_stage(folder, url, 0)
    call = get("/api/v2/me", stage.personal_token)
    mine, limit = Candidate("GET /api/v2/me"), Candidate("constant answer")
    with keybearer(folder, url) as server, constant(folder) as still:
        doors = ((mine, server.port, call), (limit, still.port, get("/constant")))
        for _, port, request in doors:
            await drive(port, everywhere(Repeat(request)), pace.warm_up_s)
        for _ in range(pace.rounds):
            for candidate, port, request in doors:
                candidate.take(await drive(port, everywhere(Repeat(request)), pace.round_s))
    return Figure("A call with a personal token", (mine, limit), (Comparison(mine, limit, GOAL),))
