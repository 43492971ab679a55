"""Threads of the system's own, also where gevent makes greenlets of threads."""

import sys
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, Final

_REPLACER: Final = "gevent.monkey"  # it is not imported here: who has not done so has no greenlets


def start_thread(work: Callable[[], object], name: str) -> "Future[None]":
    """
    Have *work* done in a thread that keeps no process from ending; return what is done when the work is.

    As a greenlet, an event loop would be taken for one in which everybody in the process runs: Django refuses to touch
    its database there, and a second one cannot run. And a wait for the disk would hold up every call.

    Raises:
        RuntimeError: there can be no more threads.
    """
    done: Future[None] = Future()

    def run() -> None:
        try:
            work()
        finally:
            done.set_result(None)

    def run_beside_greenlets() -> None:
        try:
            work()
        finally:
            sys.modules["gevent"].get_hub().destroy()  # what this thread waited with
            done.set_result(None)  # last: the process may end now, and crashes if greenlets are switched meanwhile

    start = replaced("_thread", "start_new_thread")
    if start is None:
        threading.Thread(target=run, name=name, daemon=True).start()
    else:
        start(run_beside_greenlets, ())
    return done


def replaced(module: str, name: str) -> Any:
    """Return what gevent has put something of its own in the place of; None if it has not."""
    replacer: Any = sys.modules.get(_REPLACER)
    if replacer is None or not replacer.is_module_patched("threading"):
        return None
    return replacer.get_original(module, name)
