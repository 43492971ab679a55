"""Describes a token that is read from stdin."""

from typing import Final

from keybearer.cli.stdin import first_line
from keybearer.cli.trouble import WRONG_USAGE, Trouble
from keybearer.cli.workplace import load_settings, look_into_database
from keybearer.server.clock import as_wire, now
from keybearer.server.reads.inspection import Inspection, inspect_token
from keybearer.server.settings import Settings
from keybearer.server.store.database import Database
from keybearer.wire.denial import Reason
from keybearer.wire.token_text import KINDS

_IN_WORDS: Final = {
    Reason.WRONG_KIND: "it is not a bearer token; an app trades it for one at /oauth/token",
    Reason.REVOKED: "it was revoked, or traded for a newer one",
    Reason.EXPIRED: "it has expired",
    Reason.GRANT_ENDED: "the access that it belongs to was ended",
    Reason.CLIENT_GONE: "its API client was deleted",
    Reason.USER_DISABLED: "its user is disabled",
    Reason.TEAM_GONE: "its team is archived",
    Reason.NOT_A_MEMBER: "its user is not in its team any more",
}
_UNKNOWN: Final = {
    Reason.MALFORMED: "this is not a token of this server; see that all of it was copied, and KEYBEARER_TOKEN_PREFIX",
    Reason.WRONG_KIND: "this is a client secret, key or code, not a token; give an access or refresh token",
    Reason.UNKNOWN: "no such token was made in this database; see KEYBEARER_DATABASE_URL and KEYBEARER_DATA_DIR",
}


def inspected() -> dict[str, object]:
    """
    Return what there is to say of the token on stdin.

    Raises:
        Trouble: there is none, or nothing is known of it.
    """
    text = first_line().strip()
    if not text:
        raise Trouble("no token; give it on stdin", WRONG_USAGE)
    settings = load_settings()
    at = now()

    async def work(database: Database) -> Inspection | Reason:
        return await database.view(inspect_token, text, settings.token_prefix, settings.role_permissions, at)

    found = look_into_database(settings, work)
    if isinstance(found, Reason):
        raise Trouble(_UNKNOWN[found])
    return _described(found, settings)


def _described(found: Inspection, settings: Settings) -> dict[str, object]:
    record = found.record
    return {
        "works": not found.reasons,
        "why_not": [_IN_WORDS[reason] for reason in found.reasons],
        "kind": KINDS[record.kind],
        "last4": record.last4,
        "environment": record.environment,
        "user": record.user_email,
        "team": found.team_identifier,
        "role": record.role,
        "client": record.client_id,
        "permissions": sorted(found.permissions),
        "is_narrowed": found.is_narrowed,
        "rate_limit": settings.rate_limit,
        "created_at": as_wire(record.created_at),
        "expires_at": as_wire(record.expires_at),
    }
