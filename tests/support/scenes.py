"""People, teams and tokens to begin a test with, put into the store directly and quickly."""

from dataclasses import dataclass
from typing import Final

from argon2 import PasswordHasher

from keybearer.server import issuing, secrets
from keybearer.server.clock import DAY
from keybearer.server.node import Node
from keybearer.server.records import Client, ClientSecret, Grant, Team, User
from keybearer.server.store import clients, grants, memberships, teams, users
from keybearer.server.store.database import Transaction

PASSWORD: Final = "correct horse battery staple"
# Cheap on purpose: the parameters are part of the hash, and tests sign in hundreds of times.
_HASH: Final = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)
NEVER: Final = 253_402_300_799_000_000  # the end of the year 9999


@dataclass(frozen=True, slots=True)
class App:
    """A registered client and its secret ('' for a public one)."""

    client: Client
    secret: str


class Scene:
    """Sets the stage on a node: what would otherwise take a page and a form each."""

    def __init__(self, node: Node) -> None:
        self._node = node

    async def person(self, name: str, *, is_verified: bool = True, password_hash: str = _HASH) -> User:
        """Add a user whose address is ``<name>@example.com`` and whose password is ``PASSWORD``."""
        now = self._node.now()
        email = f"{name.lower()}@example.com"
        values: dict[str, object] = {
            "email": email,
            "email_key": email,
            "name": name,
            "password_hash": password_hash,
            "verified_at": now if is_verified else None,
            "disabled_at": None,
            "created_at": now,
            "updated_at": now,
        }
        return await self._node.act(users.add, values)

    async def team(self, name: str, environment: str = "sandbox", **roles: User) -> Team:
        """Add a team with one member for each role (``owner=…``, ``member=…``, ``read_only=…``)."""
        now = self._node.now()
        values: dict[str, object] = {
            "identifier": f"{name.lower()}-{environment}",
            "uuid": secrets.record_id(now),
            "name": name,
            "environment": environment,
            "contact": f"{name.lower()}@example.com",
            "telephone": None,
            "tier": "free",
            "logo": None,
            "supported_at": None,
            "created_at": now,
            "updated_at": now,
            "archived_at": None,
        }
        team = await self._node.act(teams.add, values)
        for role, user in roles.items():
            await self.member(team, user, role.replace("_", "-"))
        return team

    async def member(self, team: Team, user: User, role: str) -> None:
        """Give the user this role in the team; a support role ends tomorrow."""
        now = self._node.now()
        ends = now + DAY if role == "assumed" else None
        await self._node.act(memberships.set_role, (team.team_id, user.user_id), role, ends, now)

    async def personal_token(self, user: User, team: Team, scope: str | None = None) -> str:
        """Make a personal token of a day and return its text; *scope* narrows it."""
        return await self._node.act(self._personal_token, user, team, scope)

    async def _personal_token(self, tx: Transaction, user: User, team: Team, scope: str | None) -> str:
        now = self._node.now()
        text = issuing.Mint(self._node.settings.token_prefix, team.environment).text("pat")
        grant_id = secrets.record_id(now)
        name = f"token {grant_id}"
        grant = Grant(grant_id, user.user_id, team.team_id, team.environment, None, name, now, None)
        await grants.add(tx, grant, name)
        narrowing = "none" if scope is None else "scope"
        anchor = issuing.Anchor(grant_id, None, None, narrowing, scope or "")
        await issuing.keep_token(tx, text, anchor, now, now + DAY)
        return text

    async def app(self, name: str, team: Team, owner: User, *uris: str, kind: str = "confidential") -> App:
        """Register a client with these redirect URIs."""
        return await self._node.act(self._app, name, team, owner, uris, kind)

    async def _app(self, tx: Transaction, name: str, team: Team, owner: User, uris: tuple[str, ...], kind: str) -> App:
        now = self._node.now()
        pkce = "required" if kind == "public" else "optional"
        client_id = secrets.random_client_id()
        client = Client(
            client_id, team.team_id, team.environment, name, kind, pkce, owner.user_id, None, now, now, None
        )
        await clients.add(tx, client, name.casefold())
        await clients.set_redirect_uris(tx, client_id, uris)
        if kind == "public":
            return App(client, "")
        text = issuing.Mint(self._node.settings.token_prefix, team.environment).text("ocs")
        digest = secrets.digest(text)
        await clients.add_secret(tx, ClientSecret(secrets.record_id(now), client_id, digest, text[-4:], now, NEVER))
        return App(client, text)
