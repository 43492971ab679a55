"""The command line: all groups of commands, and how their errors are shown."""

import io
import os
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Final

import typer

from keybearer.cli import activity, demo, doctor, migrate, resource_server, serve, settings, team, token, user
from keybearer.cli.program import INTERRUPTED
from keybearer.cli.trouble import REFUSED, WRONG_USAGE, Trouble, as_clause

_LONGEST_WORD: Final = re.compile(r"([^\s;]{150})[^\s;]{100,}")  # of what was typed nobody needs all to know it again
_PRIVATE: Final = 0o077  # what is written here (database, keys, mail) is nobody else's to read


def _tell_version(is_asked: bool) -> None:  # noqa: FBT001 - typer calls it so
    if is_asked:
        from importlib.metadata import version

        print(f"keybearer {version('keybearer')}")
        raise typer.Exit


app = typer.Typer(
    name="keybearer",
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
app.command("serve")(serve.serve)
app.command("demo")(demo.demo)
app.command("migrate")(migrate.migrate)
app.command("settings")(settings.settings)
app.command("doctor")(doctor.doctor)
app.add_typer(user.app, name="user")
app.add_typer(team.app, name="team")
app.add_typer(token.app, name="token")
app.add_typer(resource_server.app, name="resource-server")
app.add_typer(activity.app, name="activity")


@app.callback()
def keybearer(
    *,
    version: Annotated[
        bool, typer.Option("--version", callback=_tell_version, is_eager=True, help="Print the version, and exit.")
    ] = False,
) -> None:
    """Personal access tokens and OAuth 2.0 for an API."""


def main() -> int:
    """Run the command that was typed, and return its exit code."""
    os.umask(_PRIVATE)
    _complete_streams()
    return run(sys.argv[1:])


def takes_colours() -> bool:
    """Tell whether a terminal is written to in colours (https://no-color.org)."""
    return not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def _complete_streams() -> None:
    """Open what was closed as the file of nothing, in the order of its number; have every character printed somehow."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open(mode, encoding="utf-8"))  # noqa: SIM115 - for good
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # the terminal's encoding may know fewer than names have


def run(words: Sequence[str]) -> int:
    """
    Carry out one command.

    Args:
        words: what was typed after ``keybearer``.

    Returns:
        0 done, 1 refused or not found, 2 wrong usage, 130 interrupted.
    """
    if not _is_text(words):
        return _say("what was typed is not UTF-8; type it again", WRONG_USAGE)
    try:
        exit_code = app(list(words) or ["--help"], prog_name="keybearer", standalone_mode=False)
    except Trouble as trouble:
        return _say(str(trouble), trouble.exit_code)
    except typer.TyperException as wrong:
        return _say(_usage(wrong), wrong.exit_code)
    except OSError as error:  # mostly of stdout, which leads to a disk that is full
        return _unusable(error)
    except typer.Abort:
        return INTERRUPTED  # at a prompt; elsewhere typer says the same by itself
    return exit_code if isinstance(exit_code, int) else 0


def _is_text(words: Sequence[str]) -> bool:
    """Tell whether words can be written down anywhere: bytes that are no UTF-8 come as halves of characters."""
    try:
        "".join(words).encode()
    except UnicodeEncodeError:
        return False
    return True


def _usage(wrong: typer.TyperException) -> str:
    """Say what was typed wrong, and where to read how it is typed."""
    context = getattr(wrong, "ctx", None)
    command = context.command_path if context else "keybearer"
    said = as_clause(" ".join(wrong.format_message().replace("Value error, ", "").split()))
    return f"{said}; see '{command} --help'"


def _unusable(error: OSError) -> int:
    """Say what cannot be used: a file, or stdout, which has no name."""
    if error.filename is None:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # where what is left goes at the end
    return _say(
        f"{error.filename or 'what there is to print'}: {(error.strerror or 'cannot be used').lower()}", REFUSED
    )


def _say(what: str, exit_code: int) -> int:
    """Say in one line what is wrong; what was typed, and stands in it, can neither break nor colour it."""
    line = "".join(letter if letter.isprintable() else ascii(letter)[1:-1] for letter in what)
    print("error:", _LONGEST_WORD.sub(r"\1…", line), file=sys.stderr)
    return exit_code
