"""What ends a command early: one line for people, and an exit code for programs."""

from typing import Final

REFUSED: Final = 1
WRONG_USAGE: Final = 2


class Trouble(Exception):
    """
    A command cannot be carried out.

    Args:
        what: what is wrong, and what to do; without the word "error".
        exit_code: 1 refused or not found, 2 wrong usage.
    """

    def __init__(self, what: str, exit_code: int = REFUSED) -> None:
        super().__init__(what)
        self.exit_code = exit_code
