"""Erases personal data from the activity log."""

from typing import Any, Final

from keybearer.cli.lookup import find_user
from keybearer.cli.trouble import WRONG_USAGE, Trouble
from keybearer.cli.workplace import in_database, load_settings, operator
from keybearer.server.actions.erase_activity import erase_activity
from keybearer.server.clock import now
from keybearer.server.store.database import Database

_LONGEST_BASIS: Final = 1_000


def erased(email: str, basis: str) -> dict[str, Any]:
    """
    Erase what is personal in the records of the user of this address, and tell of how many.

    Raises:
        Trouble: nobody has the address, or the basis says nothing or too much.
    """
    if not 0 < len(basis.strip()) <= _LONGEST_BASIS:
        raise Trouble(f"--basis must say why, in at most {_LONGEST_BASIS:,} characters", WRONG_USAGE)

    async def erase(database: Database) -> dict[str, Any]:
        user = await find_user(database, email)
        records = 0
        while some := await database.transact(erase_activity, operator(now()), user.user_id, basis, now()):
            records += some
        return {"user": user.user_id, "records": records}

    return in_database(load_settings(), erase)
