"""Wrong passwords, counted by address and device, for known and unknown addresses alike."""

from dataclasses import dataclass

from sqlalchemy import bindparam, delete, insert, select, update

from keybearer.server.store.database import Reader, Transaction
from keybearer.server.store.tables import sign_in_attempts


@dataclass(frozen=True, slots=True)
class Attempts:
    """How often a password was wrong in a row, and until when no other is tried."""

    failures: int
    failed_at: int
    blocked_until: int


_IS_THIS = (sign_in_attempts.c.email_digest == bindparam("the_email")) & (
    sign_in_attempts.c.device_digest == bindparam("the_device")
)
_FIND = (
    select(sign_in_attempts.c.failures, sign_in_attempts.c.failed_at, sign_in_attempts.c.blocked_until)
    .where(_IS_THIS)
    .with_for_update()
)
_ADD = insert(sign_in_attempts)
_SET = (
    update(sign_in_attempts)
    .where(_IS_THIS)
    .values(failures=bindparam("failures"), failed_at=bindparam("failed_at"), blocked_until=bindparam("blocked_until"))
)
_FORGET = delete(sign_in_attempts).where(_IS_THIS)


async def of(reader: Reader, email_digest: bytes, device_digest: bytes) -> Attempts | None:
    """Return the failures of this address from this device (b'' for every unknown device together)."""
    row = await reader.one(_FIND, the_email=email_digest, the_device=device_digest)
    return Attempts(**row) if row else None


async def keep(tx: Transaction, email_digest: bytes, device_digest: bytes, attempts: Attempts) -> None:
    """Put *attempts* in the place of what was known."""
    values = {
        "failures": attempts.failures,
        "failed_at": attempts.failed_at,
        "blocked_until": attempts.blocked_until,
    }
    if not await tx.run(_SET, the_email=email_digest, the_device=device_digest, **values):
        await tx.run(_ADD, email_digest=email_digest, device_digest=device_digest, **values)


async def forget(tx: Transaction, email_digest: bytes, device_digest: bytes) -> None:
    """Forget the failures: the right password was given."""
    await tx.run(_FORGET, the_email=email_digest, the_device=device_digest)
