"""``keybearer activity``: the activity log, as evidence."""

from pathlib import Path
from typing import Annotated

import typer

from keybearer.cli.printing import JSON, say

app = typer.Typer(
    help="Verify the activity log, and erase from it.", rich_markup_mode=None, pretty_exceptions_enable=False
)

File = Annotated[Path, typer.Argument(metavar="FILE", help="An export, JSON Lines.")]
Keys = Annotated[list[str], typer.Option("--key", help="The server's public key, name+id+key; can be repeated.")]
Checkpoints = Annotated[
    list[Path] | None,
    typer.Option("--checkpoint", help="A checkpoint saved earlier, from which the log must go on; can be repeated."),
]


@app.callback()
def activity() -> None:
    """Verify the activity log, and erase from it."""


@app.command()
def erase(
    *,
    user: Annotated[str, typer.Option("--user", metavar="EMAIL", help="Whose, by email address.")],
    basis: Annotated[str, typer.Option("--basis", help="Why: the request, the law. It stays in the log.")],
    as_json: JSON = False,
) -> None:
    """Erase what is personal in a user's records; the log can be verified as before, and tells what is gone."""
    from keybearer.cli.activity_erasing import erased

    say(erased(user, basis), as_json=as_json)


@app.command()
def verify(file: File, *, key: Keys, checkpoint: Checkpoints = None, as_json: JSON = False) -> None:
    """Verify an export offline: nothing in it was changed, removed or moved, or the first bad record is named."""
    from keybearer.cli.activity_verification import say_verdict, trust_of, verified

    trust = trust_of(key, checkpoint or [])
    say_verdict(verified(file, trust), has_saved=bool(checkpoint), as_json=as_json)
