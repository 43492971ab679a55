"""A grant with all that it hangs on, joined the same way for every statement that asks who may act by it."""

from typing import Final

from sqlalchemy import ColumnElement, FromClause, func

from keybearer.server.store.tables import clients, grants, memberships, teams, users

ENDED_AT: Final = func.coalesce(grants.c.ended_at, clients.c.deleted_at)
"""When the grant ended; the deletion of a client ends all its grants, and no row of theirs says so."""

STANDING: Final = (
    users.c.disabled_at.label("user_disabled_at"),
    teams.c.archived_at.label("team_archived_at"),
    memberships.c.role,
    memberships.c.expires_at.label("membership_expires_at"),
)
"""What besides the grant itself decides whether anybody may act by it."""


def with_whole_grant(rows: FromClause, grant_id: ColumnElement[str]) -> FromClause:
    """Join to *rows* the grant that each names, and its user, team, client and membership: a row each at most."""
    return (
        rows.join(grants, grants.c.grant_id == grant_id)
        .join(users, users.c.user_id == grants.c.user_id)
        .join(teams, teams.c.team_id == grants.c.team_id)
        .outerjoin(clients, clients.c.client_id == grants.c.client_id)
        .outerjoin(
            memberships, (memberships.c.team_id == grants.c.team_id) & (memberships.c.user_id == grants.c.user_id)
        )
    )
