"""``keybearer user``: people added, given passwords, disabled, enabled, and made operators."""

from typing import TYPE_CHECKING, Annotated

import typer

from keybearer.cli.printing import JSON, say

if TYPE_CHECKING:
    from keybearer.server.records import User

app = typer.Typer(
    help="Add, disable and enable people, replace passwords, name operators.",
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)

Email = Annotated[str, typer.Argument(metavar="EMAIL", help="Their address.")]
PasswordStdin = Annotated[bool, typer.Option("--password-stdin", help="Read the password from stdin.")]


@app.command()
def add(
    email: Email,
    name: Annotated[str, typer.Option(help="Their name, as others see it.")],
    *,
    password_stdin: PasswordStdin = False,
    verified: Annotated[bool, typer.Option("--verified", help="The address is known to be theirs.")] = False,
    as_json: JSON = False,
) -> None:
    """Add a person; the password comes from stdin or a prompt, never from the command line."""
    from keybearer.cli.passwords import chosen_password
    from keybearer.cli.people import add_person

    password = chosen_password((email, name), from_stdin=password_stdin)
    _say(add_person(email, name, password, is_verified=verified), as_json=as_json)


@app.command()
def password(email: Email, *, password_stdin: PasswordStdin = False, as_json: JSON = False) -> None:
    """Give a person who lost theirs a new password; it comes from stdin or a prompt, and all their sign-ins end."""
    from keybearer.cli.passwords import chosen_password
    from keybearer.cli.people import give_password, known_person

    person = known_person(email)
    chosen = chosen_password((person.email, person.name), from_stdin=password_stdin)
    _say(give_password(person.user_id, chosen), as_json=as_json)


@app.command()
def disable(email: Email, *, as_json: JSON = False) -> None:
    """Suspend a person and every token that acts in their name, from the next call on."""
    from keybearer.cli.people import set_disabled

    _say(set_disabled(email, is_disabled=True), as_json=as_json)


@app.command()
def enable(email: Email, *, as_json: JSON = False) -> None:
    """Let a person act again; their tokens work again too."""
    from keybearer.cli.people import set_disabled

    _say(set_disabled(email, is_disabled=False), as_json=as_json)


@app.command()
def operator(
    email: Email,
    *,
    revoke: Annotated[bool, typer.Option("--revoke", help="Let them be an operator no longer.")] = False,
    as_json: JSON = False,
) -> None:
    """Let a person operate this server on its pages: add and revoke the keys of APIs that verify tokens."""
    from keybearer.cli.people import make_operator

    _say(make_operator(email, is_operator=not revoke), as_json=as_json)


def _say(user: "User", *, as_json: bool) -> None:
    record = {
        "id": user.user_id,
        "email": user.email,
        "name": user.name,
        "is_verified": user.verified_at is not None,
        "is_disabled": user.disabled_at is not None,
        "is_operator": user.operator_at is not None,
    }
    say(record, as_json=as_json)
