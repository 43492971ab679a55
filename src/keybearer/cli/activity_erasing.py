"""Erasing what the activity log tells of a person, from the command line."""

from typing import Any

from keybearer.cli.finding import find_user
from keybearer.cli.workplace import in_database, load_settings, now, operator
from keybearer.server.actions.erase_activity import erase_activity
from keybearer.server.store.database import Database


def erased(email: str, basis: str) -> dict[str, Any]:
    """
    Erase what is personal in the records of the user of this address, and tell of how many.

    Raises:
        Trouble: nobody has the address.
    """

    async def erase(database: Database) -> dict[str, Any]:
        user = await find_user(database, email)
        records = 0
        while some := await database.transact(erase_activity, operator(now()), user.user_id, basis, now()):
            records += some
        return {"user": user.user_id, "records": records}

    return in_database(load_settings(), erase)
