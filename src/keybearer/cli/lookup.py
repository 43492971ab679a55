"""Finding what a command names: people by address, teams by number or identifier, APIs by their id."""

from keybearer.cli.trouble import Trouble
from keybearer.server.numbers import number_in
from keybearer.server.records import ResourceServer, Team, User
from keybearer.server.refusals import Refusal
from keybearer.server.rules.addresses import clean_address
from keybearer.server.store import resource_servers, teams, users
from keybearer.server.store.database import Reader


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
    number = number_in(text)
    team = await (teams.by_identifier(reader, text) if number is None else teams.by_team_id(reader, number))
    if team is None:
        raise Trouble(f"there is no team {text}; give its id or identifier as 'keybearer team add' printed them")
    return team


async def find_resource_server(reader: Reader, resource_server_id: str) -> ResourceServer:
    """
    Return the resource server of this id, a revoked one too.

    Raises:
        Trouble: there is none.
    """
    server = await resource_servers.by_resource_server_id(reader, resource_server_id)
    if server is None:
        said = f"there is no resource server {resource_server_id}"
        raise Trouble(f"{said}; give its id as 'keybearer resource-server list' prints it")
    return server
