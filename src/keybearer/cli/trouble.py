"""The error that ends a command: one line for people, and an exit code for programs."""

from typing import Final

from keybearer.server.refusals import Refusal

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


def as_clause(sentence: str) -> str:
    """Return a sentence as it goes on after ``error:``: no full stop, a small letter unless it begins with a name."""
    word = sentence.partition(" ")[0]
    begins_small = word.isalpha() and word[1:] == word[1:].lower()
    return (sentence[:1].lower() + sentence[1:] if begins_small else sentence).rstrip(".")


def unusable_data_dir(error: OSError) -> Trouble:
    """Return what it comes to that nothing can be written into the data directory."""
    said = f"{error.filename}: {(error.strerror or 'it cannot be used').lower()}"
    return Trouble(f"{said}; set KEYBEARER_DATA_DIR to a folder you may write")


def trouble_of(refusal: Refusal) -> Trouble:
    """Return what a refusal comes to at the command line, where nobody needs to be kept from what exists."""
    if refusal.code == "not_found":
        return Trouble(as_clause(refusal.detail))
    return Trouble("; ".join(as_clause(each.public) for each in (refusal, *refusal.others)))
