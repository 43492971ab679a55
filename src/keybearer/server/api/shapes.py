"""The API's objects as they are on the wire: exactly the documented properties, in the reference's order."""

from keybearer.server.clock import as_wire
from keybearer.server.reads.activity import Happening
from keybearer.server.reads.members import TeamMember
from keybearer.server.reads.profile import Profile
from keybearer.server.records import Team


def user_object(profile: Profile) -> dict[str, object]:
    """Return a ``user``."""
    return {
        "object": "user",
        "id": profile.user_id,
        "name": profile.name,
        "email": profile.email,
        "is_verified": profile.verified_at is not None,
        "is_disabled": profile.disabled_at is not None,
        "created_at": as_wire(profile.created_at),
        "updated_at": as_wire(profile.updated_at),
    }


def team_object(team: Team) -> dict[str, object]:
    """Return a ``team``."""
    return {
        "object": "team",
        "id": team.team_id,
        "identifier": team.identifier,
        "uuid": team.uuid,
        "name": team.name,
        "contact": team.contact,
        "telephone": team.telephone,
        "tier": team.tier,
        "logo": team.logo,
        "is_support_enabled": team.supported_at is not None,
        "created_at": as_wire(team.created_at),
        "updated_at": as_wire(team.updated_at),
        "archived_at": time_or_null(team.archived_at),
    }


def member_object(member: TeamMember) -> dict[str, object]:
    """Return a ``team_member``; ``role`` is null once they have left."""
    return {
        "object": "team_member",
        "id": member.membership_id,
        "name": member.name,
        "email": member.email,
        "role": member.role,
    }


def activity_object(happening: Happening) -> dict[str, object]:
    """Return an ``activity``; what was erased is null, as what there never was."""
    return {
        "object": "activity",
        "id": happening.activity_id,
        "at": as_wire(happening.at),
        "action": happening.action,
        "outcome": happening.outcome,
        "reason": happening.reason,
        "user": happening.user_id,
        "client": happening.client_id,
        "token": happening.token_id,
        "token_last4": happening.token_last4,
        "method": happening.method,
        "route": happening.route,
        "status": happening.status,
        "request_id": happening.request_id,
        "environment": happening.environment,
        "team": happening.team_id,
        "address": happening.address,
        "agent": happening.agent,
    }


def time_or_null(at: int | None) -> str | None:
    """Return a time as the API writes it; null for what has not happened."""
    return None if at is None else as_wire(at)
