"""``keybearer demo``: everything in place to try it out."""

from pathlib import Path
from typing import Annotated

import typer

from keybearer.cli.printing import JSON


def demo(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on.", min=0, max=65535)] = 8000,
    api: Annotated[Path | None, typer.Option(help="Folder of an example API to start too, on the next port.")] = None,
    *,
    as_json: JSON = False,
) -> int:
    """Fill the embedded database with a demo, once, and serve it."""
    from keybearer.cli.demonstration import demonstrate

    return demonstrate(host, port, api, as_json=as_json)
