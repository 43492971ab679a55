"""``keybearer serve``: the server as a process."""

import functools
from typing import Annotated

import typer

from keybearer.cli.printing import JSON, say


def serve(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on.", min=0, max=65535)] = 8000,
    workers: Annotated[int, typer.Option(help="Processes; 1 runs without a child process.", min=1)] = 1,
    *,
    as_json: JSON = False,
) -> int:
    """Run the server; SIGTERM lets requests in flight finish."""
    from keybearer.cli.logs import log_to_stderr
    from keybearer.cli.main import takes_colours
    from keybearer.cli.running import address_of, listen, own_address, run_server
    from keybearer.cli.workplace import load_settings, prepare_database

    settings = load_settings()
    prepare_database(settings)
    listener = listen(host, port)
    told = {"url": address_of(listener), "issuer": own_address(settings, listener).issuer}
    log = functools.partial(log_to_stderr, in_colours=takes_colours())
    return run_server(settings, listener, workers, lambda: say(told, as_json=True) if as_json else None, log)
