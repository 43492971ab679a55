"""Who may change a team's members, and that every team keeps an admin."""

from keybearer.server import refusals
from keybearer.server.records import Member


def check_manager(acting: Member | None, managers: frozenset[str], now: int) -> None:
    """
    Refuse to let somebody change a team's members who may not, or may no longer.

    Judged in the change's own transaction: of two admins who lower each other at the same moment, one is first.

    Args:
        acting: their place in the team as it is now.
        managers: the roles that may manage members.

    Raises:
        Refusal: ``not_found``: they are not in the team; ``forbidden``: their role does not allow it.
    """
    role = acting.role_at(now) if acting else None
    if role is None:
        raise refusals.not_found("who acts is not in the team")
    if role not in managers:
        raise refusals.forbidden(f"role {role} does not manage members")


def check_admin_stays(member: Member | None, owners: frozenset[int], field: str = "") -> None:
    """
    Refuse to take the last admin out of a team, or to lower them.

    Args:
        member: whose role ends or becomes another.
        owners: user ids of the team's owners who can sign in; a suspended one cannot look after a team.
        field: the form field that is meant.

    Raises:
        Refusal: ``invalid``.
    """
    if member is not None and member.role == "owner" and not owners - {member.user_id}:
        raise refusals.invalid(field, "A team needs an admin. Make somebody else admin first.", "last owner")
