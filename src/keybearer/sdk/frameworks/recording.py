"""Records a call for a framework's layer: how it began, how it ended, and why it was refused."""

from typing import Final

from keybearer.reporting.asked import Asked
from keybearer.reporting.calls import Call
from keybearer.reporting.segment import Unwritable
from keybearer.sdk.errors import Forbidden, InvalidToken, RateLimited, Unavailable
from keybearer.sdk.frameworks.answers import Refusal
from keybearer.sdk.interfaces import AnyVerifier, SyncVerifierInterface
from keybearer.wire import recording
from keybearer.wire.denial import Bearer

_RETRY_AFTER_S: Final = 5


def begun(verifier: AnyVerifier, bearer: Bearer, asked: Asked) -> Call | None:
    """
    Keep that a call is about to be handled, and have `Principal.record` add to it; None where nothing is recorded.

    Raises:
        Unavailable: it cannot be recorded, so it must not be handled.
    """
    call = _call(verifier, bearer, asked)
    recording.CURRENT.set(call)
    return call


def begun_refused(verifier: AnyVerifier, refusal: InvalidToken, asked: Asked) -> Call | None:
    """
    Keep that a known token is not accepted; None for an unknown one: nobody can say whose it is.

    Raises:
        Unavailable: it cannot be recorded.
    """
    bearer = refusal.denial.bearer
    if bearer is None:
        return None
    call = _call(verifier, bearer, asked)
    note_refusal(call, refusal)
    return call


def note_refusal(call: Call | None, refusal: Refusal) -> None:
    """Have the record of a call say why it is refused."""
    if call is not None:
        call.reason = _reason_of(refusal)


def ended(call: Call | None, status: int, route: str | None = None) -> int:
    """
    Keep what a call is answered.

    Returns:
        What `answerable` waits for.

    Raises:
        Unavailable: it cannot be recorded, so it must not be answered.
    """
    if call is None:
        return 0
    recording.CURRENT.set(None)
    try:
        return call.answered(status, route, call.reason)
    except Unwritable as error:
        raise _unavailable(error) from error


async def answerable(verifier: AnyVerifier, appended: int) -> None:
    """
    Return when an answer may leave: its record is as safe as was promised.

    Raises:
        Unavailable: it is not.
    """
    try:
        if appended and (recorder := verifier.reporter) is not None:
            await recorder.kept(appended)
    except Unwritable as error:
        raise _unavailable(error) from error


def wait_answerable(verifier: SyncVerifierInterface, appended: int) -> None:
    """Return when an answer may leave; as `answerable`, for threads."""
    try:
        if appended and (recorder := verifier.reporter) is not None:
            recorder.wait_kept(appended)
    except Unwritable as error:
        raise _unavailable(error) from error


def _reason_of(refusal: Refusal) -> str:
    match refusal:
        case InvalidToken():
            return refusal.reason.value
        case Forbidden():
            return "insufficient_scope"
        case RateLimited():
            return "rate_limited"
        case Unavailable():
            return "unavailable"


def _call(verifier: AnyVerifier, bearer: Bearer, asked: Asked) -> Call | None:
    try:
        recorder = verifier.reporter
        return None if recorder is None else recorder.begin(bearer, asked)
    except Unwritable as error:
        raise _unavailable(error) from error


def _unavailable(error: Unwritable) -> Unavailable:
    return Unavailable(f"the call cannot be recorded: {error}", _RETRY_AFTER_S)
