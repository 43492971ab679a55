"""Somebody's standing towards a team that is worth attacking, for tests that go through every route there is."""

from dataclasses import dataclass
from typing import Any, Final

import httpx2
from sqlalchemy import select, update

from keybearer.server.actions.create_webhook import WebhookPolicy, create_webhook
from keybearer.server.activities import Actor
from keybearer.server.records import Team, User, Webhook
from keybearer.server.store import memberships, tables, users
from keybearer.server.store.database import Transaction
from keybearer.server.webhooks.changes import TypedWebhook
from tests.support.api import Stage
from tests.support.house import House
from tests.support.scenes import App, Scene

CANARY: Final = "Zanzibar"
OWN, OTHER, NO_TEAM, ARCHIVED, SUSPENDED, READ_ONLY = STANDINGS = (
    "own team",
    "other team",
    "no team",
    "archived team",
    "suspended",
    "read-only",
)
OUTSIDE: Final = (OTHER, NO_TEAM, ARCHIVED, SUSPENDED)
NEVER: Final = {"team": "987654", "membership": "987655"}


@dataclass(frozen=True, slots=True)
class Scenery:
    """Olga's team, with everything in it that somebody could be after, and Mallory, who stands somewhere to it."""

    stage: Stage
    target: Team
    elsewhere: Team
    mallory: User
    app: App
    ids: dict[str, str]

    @property
    def house(self) -> House:
        """The application."""
        return self.stage.house

    async def call(self, team: Team) -> httpx2.AsyncClient:
        """Lend a program that acts as Mallory in the team; the token was made while that was allowed."""
        return await self.stage.personal(self.mallory, team)

    async def stand(self, standing: str) -> None:
        """Put Mallory where the standing says."""
        act, now = self.house.node.act, self.house.node.now()
        member = (self.target.team_id, self.mallory.user_id)
        if standing in {OWN, ARCHIVED, SUSPENDED}:
            await act(memberships.set_role, member, "owner", None, now)
        if standing == READ_ONLY:
            await act(memberships.set_role, member, "read-only", None, now)
        if standing in {OTHER, NO_TEAM}:
            await act(memberships.leave, *member, now)
        if standing == OTHER:
            await self.stage.scene.member(self.elsewhere, self.mallory, "owner")
        if standing == ARCHIVED:
            await act(_archive, self.target.team_id, now)
        if standing == SUSPENDED:
            await act(users.set_disabled, self.mallory.user_id, now, now)

    async def rows(self) -> dict[str, list[dict[str, Any]]]:
        """Return all that is kept of the team, except what is Mallory's own."""
        grants = select(tables.grants.c.grant_id).where(
            tables.grants.c.team_id == self.target.team_id, tables.grants.c.user_id != self.mallory.user_id
        )
        apps = select(tables.clients.c.client_id).where(tables.clients.c.team_id == self.target.team_id)
        hooks = select(tables.webhooks.c.webhook_id).where(tables.webhooks.c.team_id == self.target.team_id)
        of_member = tables.memberships.c.user_id != self.mallory.user_id
        wanted = {
            "teams": tables.teams.c.team_id == self.target.team_id,
            "memberships": (tables.memberships.c.team_id == self.target.team_id) & of_member,
            "clients": tables.clients.c.team_id == self.target.team_id,
            "client_secrets": tables.client_secrets.c.client_id.in_(apps),
            "client_redirect_uris": tables.client_redirect_uris.c.client_id.in_(apps),
            "grants": tables.grants.c.grant_id.in_(grants),
            "families": tables.families.c.grant_id.in_(grants),
            "tokens": tables.tokens.c.grant_id.in_(grants),
            "webhooks": tables.webhooks.c.team_id == self.target.team_id,
            "webhook_deliveries": tables.webhook_deliveries.c.webhook_id.in_(hooks),
        }
        read = self.house.node.database.many
        return {
            name: [dict(row) for row in await read(select(tables.metadata.tables[name]).where(condition))]
            for name, condition in wanted.items()
        }


async def set_scenery(house: House) -> Scenery:
    """Put up the team with all that is in it; Mallory is a member until told where to stand."""
    scene = Scene(house.node)
    olga, mallory, bob = [await scene.person(name) for name in (f"Olga{CANARY}", "Mallory", "Bob")]
    target = await scene.team(CANARY, owner=olga, member=mallory)
    elsewhere = await scene.team("Elsewhere", member=bob)
    app = await scene.app(f"{CANARY} app", target, olga, "https://app.example.com/cb")
    stage = Stage(house, scene, olga, mallory, bob, target, elsewhere)
    await stage.personal(olga, target)
    await stage.app_access(app, olga, target)
    place = await stage.place_of(target, olga)
    held = await house.node.database.many(
        select(tables.grants.c.grant_id, tables.grants.c.client_id).where(tables.grants.c.user_id == olga.user_id)
    )
    hook = await _hooked(house, target, olga)
    ids = {
        "webhook": hook.webhook_id,
        "team": str(target.team_id),
        "membership": str(place.membership_id),
        "client": app.client.client_id,
        **{"app's grant" if row["client_id"] else "token's grant": row["grant_id"] for row in held},
    }
    return Scenery(stage, target, elsewhere, mallory, app, ids)


async def _hooked(house: House, team: Team, owner: User) -> Webhook:
    """Have the team's events sent to where nobody listens."""
    node, actor = house.node, Actor("a test", "127.0.0.1", owner.user_id)
    typed = TypedWebhook(f"https://{CANARY.lower()}.example/hooks", ["client.secret_rotated"])
    policy = WebhookPolicy(node.webhook_key, allows_private=False)
    return (await node.act(create_webhook, actor, team, typed, policy, node.now())).webhook


async def _archive(tx: Transaction, team_id: int, now: int) -> None:
    await tx.run(update(tables.teams).where(tables.teams.c.team_id == team_id).values(archived_at=now))


def never(kind: str, one: str) -> str:
    """Return an id of the same kind and look that nobody has."""
    return NEVER.get(kind) or one[:-1] + ("a" if one[-1] != "a" else "b")
