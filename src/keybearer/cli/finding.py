"""Whom and what a command means: people by address, teams by number or identifier."""

from keybearer.cli.trouble import Trouble
from keybearer.server.records import Team, User
from keybearer.server.refusals import Refusal
from keybearer.server.rules.addresses import clean_address
from keybearer.server.store import teams, users
from keybearer.server.store.database import Reader

_LARGEST = 2**63 - 1


async def find_user(reader: Reader, email: str) -> User:
    """
    Return the user of this address.

    Raises:
        Trouble: nobody has it.
    """
    try:
        user = await users.by_email(reader, clean_address(email).key)
    except Refusal:
        user = None
    if user is None:
        raise Trouble(f"nobody has the address {email}; see that it is typed right, or run 'keybearer user add' first")
    return user


async def find_team(reader: Reader, text: str) -> Team:
    """
    Return the team of this number or identifier.

    Raises:
        Trouble: there is none.
    """
    is_number = text.isascii() and text.isdigit() and int(text) <= _LARGEST
    team = await (teams.by_team_id(reader, int(text)) if is_number else teams.by_identifier(reader, text))
    if team is None:
        raise Trouble(f"there is no team {text}; give its id or identifier as 'keybearer team add' printed them")
    return team
