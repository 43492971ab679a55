"""What a command reads on stdin: secrets, one a line."""

import sys

from keybearer.cli.trouble import WRONG_USAGE, Trouble


def first_line() -> str:
    """
    Return the first line on stdin, without its end; '' if there is none.

    Raises:
        Trouble: it is no UTF-8, whatever the terminal's own encoding is.
    """
    try:
        return sys.stdin.buffer.readline().decode("utf-8").rstrip("\r\n")
    except UnicodeDecodeError:
        raise Trouble("what came on stdin is not UTF-8; give it again", WRONG_USAGE) from None
