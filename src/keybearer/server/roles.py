"""The roles and permissions, and what people are told about them."""

from typing import Final

ROLE_NAMES: Final = ("owner", "member", "read-only", "assigned-only", "assumed")

# How people read the roles; the reference shows `owner` as Admin.
ROLE_TITLES: Final = {
    "owner": "Admin",
    "member": "Member",
    "read-only": "Read only",
    "assigned-only": "Assignee only",
    "assumed": "Support (assumed)",
}

TEAM_MANAGE: Final = "team:manage"
MEMBERS_MANAGE: Final = "members:manage"
APPS_READ: Final = "apps:read"
APPS_WRITE: Final = "apps:write"

DEFAULT_PERMISSIONS: Final = {
    "team:read": "See the team's name and contact details",
    "team:manage": "Change the team's contact details",
    "members:read": "See who is in the team, with names, email addresses and roles",
    "members:manage": "Change roles and remove people from the team",
    "apps:read": "See the team's API clients",
    "apps:write": "Create, change and delete the team's API clients",
    "clients:read": "See the team's client records",
    "clients:write": "Create, change and delete the team's client records",
}


def only_reads(permission: str) -> bool:
    """Tell whether the permission's name says that it changes nothing."""
    return permission.endswith(":read")


def default_role_permissions(names: frozenset[str]) -> dict[str, frozenset[str]]:
    """
    Return what each role may do when the operator says nothing else.

    Args:
        names: every permission there is.
    """
    reading = frozenset(name for name in names if only_reads(name))
    return {
        "owner": names,
        "member": names - {TEAM_MANAGE, MEMBERS_MANAGE},
        "read-only": reading,
        "assigned-only": reading,
        "assumed": names,
    }
