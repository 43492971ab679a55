"""What the user commands do, on the open database."""

from keybearer.cli.lookup import find_user
from keybearer.cli.workplace import in_database, in_new_database, load_settings, look_into_database, operator
from keybearer.server.accounts.passwords import Passwords
from keybearer.server.actions.add_user import NewUser, add_user
from keybearer.server.actions.replace_password import replace_password
from keybearer.server.actions.set_operator import set_operator
from keybearer.server.actions.set_user_disabled import set_user_disabled
from keybearer.server.clock import now
from keybearer.server.records import User
from keybearer.server.store.database import Database


def add_person(email: str, name: str, password: str, *, is_verified: bool) -> User:
    """Add a person; the password is hashed before the transaction opens."""

    async def work(database: Database) -> User:
        new = NewUser(email, name, await Passwords().hash(password), is_verified)
        at = now()
        return await database.transact(add_user, operator(at), new, at)

    return in_new_database(load_settings(), work)


def known_person(email: str) -> User:
    """Return the person of this address."""
    return look_into_database(load_settings(), lambda database: find_user(database, email))


def give_password(user_id: int, password: str) -> User:
    """Put another password in the place of this person's; it is hashed before the transaction opens."""

    async def work(database: Database) -> User:
        password_hash = await Passwords().hash(password)
        at = now()
        return await database.transact(replace_password, operator(at), user_id, password_hash, at)

    return in_database(load_settings(), work)


def set_disabled(email: str, *, is_disabled: bool) -> User:
    """Suspend the person of this address, or let them act again."""

    async def work(database: Database) -> User:
        user = await find_user(database, email)
        at = now()
        return await database.transact(set_user_disabled, operator(at), user.user_id, at, is_disabled=is_disabled)

    return in_database(load_settings(), work)


def make_operator(email: str, *, is_operator: bool) -> User:
    """Let the person of this address operate this server, or no longer."""

    async def work(database: Database) -> User:
        user = await find_user(database, email)
        at = now()
        return await database.transact(set_operator, operator(at), user.user_id, at, is_operator=is_operator)

    return in_database(load_settings(), work)
