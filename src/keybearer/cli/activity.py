"""``keybearer activity``: the activity log, as evidence."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from keybearer.cli.printing import JSON, say, say_table

app = typer.Typer(
    help="Export and verify the activity log, and erase from it.", rich_markup_mode=None, pretty_exceptions_enable=False
)

File = Annotated[Path | None, typer.Argument(metavar="[FILE]", help="An export, JSON Lines.")]
Keys = Annotated[list[str] | None, typer.Option("--key", help="The server's public key, name+id+key; can be repeated.")]
Checkpoints = Annotated[
    list[Path] | None,
    typer.Option("--checkpoint", help="A checkpoint saved earlier, from which the log must go on; can be repeated."),
]


class Format(StrEnum):
    """How an export is written."""

    JSONL = "jsonl"
    CSV = "csv"


@app.callback()
def activity() -> None:
    """Export and verify the activity log, and erase from it."""


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
def key(*, as_json: JSON = False) -> None:
    """Print the public key that this server's log is verified with."""
    from keybearer.cli.activity_stored import public_key

    say({"key": public_key()}, as_json=as_json)


@app.command()
def refused(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="What the API gives to ActivityLog.")],
    *,
    as_json: JSON = False,
) -> None:
    """List what an API reported and the server would not take, and why."""
    from keybearer.cli.activity_refused import COLUMNS, refused_in

    say_table(refused_in(folder), COLUMNS, as_json=as_json)


@app.command()
def verify(
    file: File = None,
    *,
    team: Annotated[str | None, typer.Option(metavar="TEAM", help="Verify what is stored of this team alone.")] = None,
    key: Keys = None,
    checkpoint: Checkpoints = None,
    jobs: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="How many processes may read FILE; default: all processors.")
    ] = None,
    as_json: JSON = False,
) -> None:
    """Verify an export offline, or the stored log: nothing was changed, removed or moved, or the first is named."""
    from keybearer.cli.activity_verification import say_verdict, trust_of, verified

    if file is not None and team is not None:
        raise typer.BadParameter("give a FILE to verify, or --team, or neither for all that is stored")
    if file is None:
        from keybearer.cli.activity_stored import stored_verified

        verdict = stored_verified(team, key or [], checkpoint or [])
    else:
        if not key:
            raise typer.BadParameter("an export is verified by --key, which 'keybearer activity key' prints")
        verdict = verified(file, trust_of(key, checkpoint or []), jobs)
    say_verdict(verdict, has_saved=bool(checkpoint), as_json=as_json)


@app.command()
def export(  # noqa: PLR0913 - an option each
    *,
    team: Annotated[str, typer.Option(metavar="TEAM", help="The team's id or identifier.")],
    form: Annotated[Format, typer.Option("--format", help="JSON Lines prove themselves; CSV is for spreadsheets.")] = (
        Format.JSONL
    ),
    since: Annotated[str | None, typer.Option("--from", metavar="TIME", help="A day or a time in UTC.")] = None,
    until: Annotated[
        str | None, typer.Option("--to", metavar="TIME", help="A time in UTC, or a day with all of it.")
    ] = None,
    user: Annotated[str | None, typer.Option(metavar="USER", help="A person's address or id.")] = None,
    token: Annotated[str | None, typer.Option(metavar="ID", help="A token's id.")] = None,
    client: Annotated[str | None, typer.Option(metavar="ID", help="An app's client ID.")] = None,
    action: Annotated[str | None, typer.Option(metavar="NAME", help="As in api.called or token.created.")] = None,
    as_json: JSON = False,
) -> None:
    """Write a team's activity on stdout; what the filters leave out stands there by hashes, so it can be verified."""
    from keybearer.cli.activity_export import write_export

    if as_json and form is Format.CSV:
        raise typer.BadParameter("--json is the format jsonl; give one of them, or --format csv")
    filters = {"from": since, "to": until, "user": user, "token": token, "client": client, "action": action}
    write_export(team, form.value, {name: value for name, value in filters.items() if value is not None})
