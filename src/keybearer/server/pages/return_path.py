"""Where a person goes after signing in: only ever to a page of ours."""

from typing import Final

HOME: Final = "/"
MAX_LENGTH: Final = 12_000  # an authorization request with all its parameters fits


def return_path(wanted: str) -> str:
    r"""
    Return *wanted* if it is a path of ours, else the home page.

    Browsers take ``//host``, ``/\host`` and the same behind tabs or line ends for another host, so only a path that
    starts with one slash, and has no backslash, space or control character anywhere, is followed.

    Source: WHATWG URL §4.4 (relative slash state; tabs and newlines are removed).
    """
    is_path = wanted.startswith("/") and not wanted.startswith("//")
    is_clean = all("!" <= character <= "~" and character != "\\" for character in wanted)
    return wanted if is_path and is_clean and len(wanted) <= MAX_LENGTH else HOME
