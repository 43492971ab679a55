"""The demo's people, teams and app; put into the database once, in one transaction."""

import secrets
from dataclasses import dataclass, replace
from typing import Final

from keybearer.server import refusals
from keybearer.server.actions.add_resource_server import AddedServer, add_resource_server
from keybearer.server.actions.add_team import NewTeam, add_team
from keybearer.server.actions.add_user import NewUser, add_user
from keybearer.server.actions.create_personal_token import AskedToken, TokenPolicy, create_personal_token
from keybearer.server.actions.register_client import AskedClient, register_client
from keybearer.server.actions.revoke_grant import Reach, revoke_grant
from keybearer.server.actions.revoke_resource_server import revoke_resource_server
from keybearer.server.actions.set_member_role import RoleGiven, set_member_role
from keybearer.server.activities import Actor
from keybearer.server.clock import SECOND, as_wire
from keybearer.server.settings import Settings
from keybearer.server.store import teams, users
from keybearer.server.store.database import Transaction

SANDBOX: Final = "Northwind sandbox"
LIVE: Final = "Northwind"
REDIRECT_URI: Final = "http://localhost:9000/callback"
# The alphabet leaves out what is mistaken for something else when it is typed from a screen.
_ALPHABET: Final = "abcdefghijkmnpqrstuvwxyz23456789"


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody of the demo, with their role in its sandbox and in its live team."""

    email: str
    name: str
    sandbox_role: str
    live_role: str


PEOPLE: Final = (
    Person("ada@example.com", "Ada Quill", "owner", "owner"),
    Person("ben@example.com", "Ben Okafor", "member", "read-only"),
    Person("cleo@example.com", "Cleo Marsh", "read-only", "member"),
)


def random_password() -> str:
    """Return a password that can be typed from the screen: 20 characters, 100 bits."""
    return "-".join("".join(secrets.choice(_ALPHABET) for _ in range(5)) for _ in range(4))


async def set_up(tx: Transaction, actor: Actor, password_hash: str, prefix: str, now: int) -> None:
    """
    Add the demo's people, teams and app.

    Args:
        password_hash: Argon2id, PHC text; the same password for all three.
        prefix: the provider's own, for the app's secret.
    """
    added = [await add_user(tx, actor, NewUser(each.email, each.name, password_hash, True), now) for each in PEOPLE]
    sandbox = await add_team(tx, actor, NewTeam(SANDBOX, "sandbox"), added[0], now)
    live = await add_team(tx, actor, NewTeam(LIVE, "live"), added[0], now)
    for person, user in list(zip(PEOPLE, added, strict=True))[1:]:
        for team, role in ((sandbox, person.sandbox_role), (live, person.live_role)):
            await set_member_role(tx, actor, RoleGiven(team.team_id, user.user_id, role, None), frozenset(), now)
    owner = added[0].user_id
    app = AskedClient(owner, sandbox.team_id, "Invoice Sync", REDIRECT_URI, "confidential", "optional")
    await register_client(tx, actor, app, prefix, now)


async def make_token(tx: Transaction, actor: Actor, settings: Settings, former_grant: str, now: int) -> tuple[str, str]:
    """
    Make a fresh sandbox token for the demo's first person, and end the one of the last start.

    Args:
        former_grant: the last start's grant id; '' at first.

    Returns:
        The new grant's id, and the token's text.

    Raises:
        Refusal: the demo's person or team is no longer what it was.
    """
    owner = await users.by_email(tx, PEOPLE[0].email)
    team = await teams.by_identifier(tx, "northwind-sandbox")
    if owner is None or team is None:
        raise refusals.not_found("its first person or its sandbox team is gone")
    if former_grant:
        herself = replace(actor, user_id=owner.user_id)  # so nobody else revokes it, and she is mailed nothing
        await revoke_grant(tx, herself, former_grant, Reach(owner.user_id, None), now)
    name = f"Demo, started {as_wire(now)}"
    asked = AskedToken(owner.user_id, team.team_id, name, "", "", "none", ())
    longest = settings.personal_token_ttl * SECOND
    policy = TokenPolicy(settings.token_prefix, longest, settings.role_permissions)
    made = await create_personal_token(tx, actor, asked, policy, now)
    return made.grant.grant_id, made.text


async def make_key(tx: Transaction, actor: Actor, prefix: str, former_server: str, now: int) -> AddedServer:
    """
    Make a fresh key for the demo's example API, and revoke the one of the last start.

    Args:
        former_server: the id of the last start's resource server; '' at first.

    Raises:
        Refusal: that resource server is gone.
    """
    if former_server:
        await revoke_resource_server(tx, actor, former_server, now)
    return await add_resource_server(tx, actor, (f"People API, started {as_wire(now)}", "sandbox"), prefix, now)
