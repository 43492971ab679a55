"""Wrong passwords, counted by address and device, for known and unknown addresses alike."""

from sqlalchemy import bindparam, delete, update
from sqlalchemy.dialects.postgresql import insert

from keybearer.server.records import Attempts
from keybearer.server.store.database import Transaction
from keybearer.server.store.tables import sign_in_attempts

_IS_THIS = (sign_in_attempts.c.email_digest == bindparam("the_email")) & (
    sign_in_attempts.c.device_digest == bindparam("the_device")
)
# The update changes nothing: it locks the row and returns it. A second statement might find the row gone, because a
# sign-in that succeeded has forgotten it.
_LOCK = (
    insert(sign_in_attempts)
    .on_conflict_do_update(
        index_elements=[sign_in_attempts.c.email_digest, sign_in_attempts.c.device_digest],
        set_={"failures": sign_in_attempts.c.failures},
    )
    .returning(sign_in_attempts.c.failures, sign_in_attempts.c.failed_at, sign_in_attempts.c.blocked_until)
)
_SET = (
    update(sign_in_attempts)
    .where(_IS_THIS)
    .values(failures=bindparam("failures"), failed_at=bindparam("failed_at"), blocked_until=bindparam("blocked_until"))
)
_FORGET = delete(sign_in_attempts).where(_IS_THIS)


async def lock(tx: Transaction, email_digest: bytes, device_digest: bytes) -> Attempts:
    """
    Return the failures of this address from this device, and let nobody else count them until this transaction ends.

    Args:
        device_digest: b'' for every unknown device together.
    """
    nothing = {"failures": 0, "failed_at": 0, "blocked_until": 0}
    row = await tx.one(_LOCK, email_digest=email_digest, device_digest=device_digest, **nothing)
    assert row is not None  # noqa: S101 - put there, or there already
    return Attempts(**row)


async def keep(tx: Transaction, email_digest: bytes, device_digest: bytes, attempts: Attempts) -> None:
    """Replace those that were locked by *attempts*."""
    await tx.run(
        _SET,
        the_email=email_digest,
        the_device=device_digest,
        failures=attempts.failures,
        failed_at=attempts.failed_at,
        blocked_until=attempts.blocked_until,
    )


async def forget(tx: Transaction, email_digest: bytes, device_digest: bytes) -> None:
    """Forget the failures: the right password was given."""
    await tx.run(_FORGET, the_email=email_digest, the_device=device_digest)
