"""``keybearer serve``: the server as a process."""

from typing import Annotated

import typer


def serve(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on.", min=0, max=65535)] = 8000,
    workers: Annotated[int, typer.Option(help="Processes; 1 runs without a child process.", min=1)] = 1,
) -> int:
    """Run the server; SIGTERM lets requests in flight finish."""
    from keybearer.cli.running import listen, run_server
    from keybearer.cli.workplace import load_settings, prepare_database

    settings = load_settings()
    prepare_database(settings)
    return run_server(settings, listen(host, port), workers)
