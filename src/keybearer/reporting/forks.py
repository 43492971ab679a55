"""Has a process that was forked begin anew, also where Python was not told that it was: uWSGI forks so."""

import os
import threading
from collections.abc import Callable
from typing import Final

_TO_DO: Final[list[Callable[[], object]]] = []
_NOTICING: Final = threading.Lock()
_process = os.getpid()


def in_child(begin_anew: Callable[[], object]) -> None:
    """Have *begin_anew* called in every child process before it does anything of what `notice` guards."""
    _TO_DO.append(begin_anew)


def notice() -> None:
    """Begin anew if this is another process than the last time."""
    if os.getpid() != _process:
        with _NOTICING:
            if os.getpid() != _process:
                _begin_anew()


def _begin_anew() -> None:
    global _process  # noqa: PLW0603 - there is one in a process
    for begin_anew in _TO_DO:
        begin_anew()
    _process = os.getpid()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_begin_anew)
