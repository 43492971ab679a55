"""The ways in which an app's access ends, or rests, while somebody holds its code or its tokens."""

from collections.abc import Awaitable, Callable
from typing import Final

from sqlalchemy import update

from keybearer.server.actions.delete_client import delete_client
from keybearer.server.actions.remove_member import remove_member
from keybearer.server.actions.revoke_grant import Reach, revoke_grant
from keybearer.server.actions.set_user_disabled import set_user_disabled
from keybearer.server.activities import Actor
from keybearer.server.store import grants
from keybearer.server.store.database import Transaction
from keybearer.server.store.tables import memberships, teams
from tests.support.oauth import Play

_ACTOR: Final = Actor("a test", "127.0.0.1")

Cut = Callable[[Play], Awaitable[None]]


async def revoke(play: Play) -> None:
    """Have Ada revoke the app's access to Birch."""
    node, client_id = play.house.node, play.app.client.client_id
    grant = await node.view(grants.of_app, play.ada.user_id, play.birch.team_id, client_id)
    assert grant is not None
    await node.act(revoke_grant, _ACTOR, grant.grant_id, Reach(play.ada.user_id, None), node.now())


async def leave_birch(play: Play) -> None:
    """Take Ada out of Birch."""
    node = play.house.node
    await node.act(remove_member, _ACTOR, play.birch.team_id, play.ada.user_id, frozenset(), node.now())


async def delete_app(play: Play) -> None:
    """Delete the app."""
    node = play.house.node
    await node.act(delete_client, _ACTOR, play.app.client.client_id, play.acme.team_id, node.now())


async def archive_birch(play: Play) -> None:
    """Archive Birch; no door does so yet."""
    await play.house.node.act(_archive, play.birch.team_id, play.house.node.now())


async def _archive(tx: Transaction, team_id: int, now: int) -> None:
    await tx.run(update(teams).where(teams.c.team_id == team_id).values(archived_at=now))


async def end_visit(play: Play) -> None:
    """Have Ada in Birch as support staff is, her time over at this very moment."""
    await play.house.node.act(_end_visit, play.birch.team_id, play.ada.user_id, play.house.node.now())


async def _end_visit(tx: Transaction, team_id: int, user_id: int, now: int) -> None:
    is_hers = (memberships.c.team_id == team_id) & (memberships.c.user_id == user_id)
    await tx.run(update(memberships).where(is_hers).values(role="assumed", expires_at=now))


async def disable(play: Play) -> None:
    """Suspend Ada."""
    node = play.house.node
    await node.act(set_user_disabled, _ACTOR, play.ada.user_id, node.now(), is_disabled=True)


async def enable(play: Play) -> None:
    """Let Ada in again."""
    node = play.house.node
    await node.act(set_user_disabled, _ACTOR, play.ada.user_id, node.now(), is_disabled=False)


ENDS: Final[dict[str, Cut]] = {
    "the user revokes the app's access": revoke,
    "the user leaves the team": leave_birch,
    "the user's time in the team is over": end_visit,
    "the team is archived": archive_birch,
    "the user is disabled": disable,
}
