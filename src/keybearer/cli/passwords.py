"""Reads a password from stdin or a prompt; as an argument, every process on the machine could read it."""

import getpass
import sys

from keybearer.cli.stdin import first_line
from keybearer.cli.trouble import WRONG_USAGE, Trouble, trouble_of
from keybearer.server.refusals import Refusal
from keybearer.server.rules.password_policy import check_password


def chosen_password(known: tuple[str, ...], *, from_stdin: bool) -> str:
    """
    Return the password that was chosen.

    Args:
        known: words of the account that it must not be made of: its address, its name.

    Raises:
        Trouble: none was given, the two typed ones differ, or it is too weak.
    """
    password = first_line() if from_stdin else _from_prompt()
    try:
        check_password(password, known)
    except Refusal as refusal:
        raise trouble_of(refusal) from None
    return password


def _from_prompt() -> str:
    if not sys.stdin.isatty():
        raise Trouble("no password; give it on stdin, with --password-stdin", WRONG_USAGE)
    password = getpass.getpass("Password: ")
    if getpass.getpass("The same again: ") != password:
        raise Trouble("the two passwords differ; try again", WRONG_USAGE)
    return password
