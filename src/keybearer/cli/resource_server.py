"""``keybearer resource-server``: APIs that verify tokens, and their keys."""

from typing import Annotated

import typer

from keybearer.cli.printing import JSON, say, say_table
from keybearer.cli.team import Environment

app = typer.Typer(
    help="Add and revoke the keys of APIs that verify tokens.", rich_markup_mode=None, pretty_exceptions_enable=False
)


@app.command()
def add(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The API's name.")],
    environment: Annotated[Environment, typer.Option(help="Whose tokens it verifies: the sandbox's, or live ones.")],
    *,
    as_json: JSON = False,
) -> None:
    """Add an API that verifies tokens; its key is shown this once."""
    from keybearer.cli.resource_servers import add_server

    say(add_server(name, environment.value), as_json=as_json)


@app.command("list")
def list_(*, as_json: JSON = False) -> None:
    """List the APIs whose keys are in force, newest first."""
    from keybearer.cli.resource_servers import list_servers

    say_table(list_servers(), ("id", "name", "environment", "last4", "seen_at"), as_json=as_json)


@app.command()
def revoke(
    resource_server_id: Annotated[str, typer.Argument(metavar="ID", help="The API's id.")], *, as_json: JSON = False
) -> None:
    """Take an API's key away; it verifies nothing more once its lease is out."""
    from keybearer.cli.resource_servers import revoke_server

    say(revoke_server(resource_server_id), as_json=as_json)
