"""`python -m bench [--quick]`: print every figure beside its limit or peer."""

import argparse
import asyncio
import tempfile
from pathlib import Path

import uvloop

from bench import (
    activity_search,
    api_call,
    audit,
    footprint,
    ingestion,
    introspection,
    middleware,
    reporting,
    revocation,
    token_endpoint,
    verification,
)
from bench.measures import Figure, Pace
from bench.report import lines
from bench.servers import stay_off_the_servers_processor
from bench.stage import durable_postgres
from keybearer.cli.logs import log_to_file

# As many tokens are weighed as weigh most: the dictionaries around them have just grown.
THOROUGH = Pace(
    rounds=5,
    round_s=1.5,
    warm_up_s=1.0,
    codes=3000,
    mirrored_tokens=1_000_000,
    weighed_tokens=350_000,
    revocations=200,
    verifiers=50,
    batches=10,
    searched_records=1_000_000,
)
QUICK = Pace(
    rounds=1,
    round_s=0.2,
    warm_up_s=0.1,
    codes=300,
    mirrored_tokens=2_000,
    weighed_tokens=5_000,
    revocations=3,
    verifiers=5,
    batches=1,
    searched_records=2_000,
)


async def run(pace: Pace, folder: Path) -> None:
    """Measure, and print each figure as it is found."""
    stay_off_the_servers_processor()
    _show(await api_call.measure(folder, pace))
    with durable_postgres() as cluster:
        for figure in await token_endpoint.measure(folder, cluster, pace):
            _show(figure)
        ingested = await ingestion.measure(folder, cluster, pace)
        searched = await activity_search.measure(folder, cluster, pace)
        asked = await introspection.measure(folder, cluster, pace)
    _show(await footprint.measure(folder, pace))
    _show(asked)
    _show(await revocation.measure(folder, pace))
    _show(await middleware.measure(pace))
    _show(await reporting.measure(folder, pace))
    _show(await verification.measure(pace))
    _show(ingested)
    _show(searched)
    _show(await audit.measure(pace))


def _show(figure: Figure) -> None:
    print("\n".join(lines(figure)), flush=True)


def main() -> None:
    """Run the benchmarks."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="short rounds: to see that everything runs")
    pace = QUICK if parser.parse_args().quick else THOROUGH
    with (
        tempfile.TemporaryDirectory(dir="/var/tmp", prefix="keybearer-bench-") as folder,
        asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner,
    ):
        log_to_file(Path(folder) / "keybearer.log")  # of the servers in this process; the others have their own
        runner.run(run(pace, Path(folder)))


if __name__ == "__main__":
    main()
