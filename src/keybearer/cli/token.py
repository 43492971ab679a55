"""``keybearer token``: what a token can do."""

import typer

from keybearer.cli.printing import JSON, say

app = typer.Typer(help="Look at a token.", rich_markup_mode=None, pretty_exceptions_enable=False)


@app.callback()
def token() -> None:
    """Look at a token."""


@app.command()
def inspect(*, as_json: JSON = False) -> None:
    """Read a token on stdin; print what it can do right now, and why not. The token itself is never printed."""
    from keybearer.cli.token_inspection import inspected

    say(inspected(), as_json=as_json)
