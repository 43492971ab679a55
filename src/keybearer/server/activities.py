"""Activities as changes tell them to the log: who did what to what, by which means, and the table of all actions."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Actor:
    """
    Who makes a change, and from where.

    A person on a page has a user and perhaps an active team; an app at the token endpoint has a client; the command
    line has neither. ``token_id`` is set when a token acts. ``agent`` is how the browser or program calls itself.
    """

    request_id: str
    address: str
    user_id: int | None = None
    client_id: str | None = None
    token_id: str | None = None
    token_last4: str | None = None
    agent: str = ""


SERVER_ITSELF: Final = Actor("", "server")


@dataclass(frozen=True, slots=True)
class Activity:
    """
    One change, as the log keeps it.

    Args:
        action: what was done, ``noun.verb`` from ``ACTIONS``.
        subject: what it was done to: ``client:<id>``, ``grant:<id>``, ``user:<id>``, ``membership:<user>:<team>`` ….
        outcome: ``done`` or ``refused``.
        reason: the refusal's code.
        words: more to say, as ``wire.activity`` writes words; personal like the subject, so it can be erased.
        ends_at: when what this is about ends by itself, for webhooks; microseconds since 1970 UTC.
    """

    action: str
    subject: str
    user_id: int | None = None
    team_id: int | None = None
    environment: str | None = None
    client_id: str | None = None
    grant_id: str | None = None
    token_id: str | None = None
    token_last4: str | None = None
    outcome: str = "done"
    reason: str | None = None
    words: str = ""
    ends_at: int | None = None


ACTIONS: Final = {
    "user.created": "A user was added",
    "user.changed": "A user's name or address changed",
    "user.disabled": "A user was disabled",
    "user.enabled": "A user was enabled again",
    "password.changed": "A password was changed",
    "session.started": "Somebody signed in",
    "session.refused": "A sign-in was refused",
    "session.confirmed": "Somebody gave their password again",
    "session.ended": "A session ended",
    "session.team_switched": "The active team of a session changed",
    "email.change_requested": "A new email address was asked for",
    "email.change_withdrawn": "A new email address is no longer asked for",
    "email.verified": "An email address was shown to be its user's",
    "team.created": "A team was added",
    "team.changed": "A team's details changed",
    "member.joined": "Somebody joined a team",
    "member.changed": "A member's role changed",
    "member.left": "Somebody left a team",
    "token.created": "A personal access token was made",
    "token.issued": "An app got tokens for a code",
    "token.refreshed": "An app refreshed its tokens",
    "token.revoked": "A token was revoked",
    "token.expiring": "A personal access token ends soon",
    "token.expired": "A personal access token has ended by itself",
    "code.replayed": "A code was used twice; what the first use gave was ended",
    "refresh.replayed": "A refresh token was used twice; its family was ended",
    "grant.created": "A user let an app in",
    "grant.denied": "A user refused an app",
    "grant.ended": "What acted in a user's name was cut off",
    "grant.expiring": "An app loses its access soon, unless it refreshes",
    "grant.expired": "An app that did not refresh has lost its access",
    "client.created": "An API client was registered",
    "client.changed": "An API client was changed",
    "client.secret_rotated": "An API client got a new secret",
    "client.deleted": "An API client was deleted",
    "resource_server.created": "An API that verifies tokens was added",
    "resource_server.revoked": "The key of an API that verifies tokens was revoked",
    "operator.added": "A user was made an operator of this server",
    "operator.removed": "A user is no longer an operator of this server",
    "policy.changed": "What the roles may do was changed",
    "activity.gap": "Records that an API counted have not arrived",
    "activity.frozen": "A log was found damaged or rolled back, and is not signed any more",
    "activity.redacted": "What was personal in a user's records was erased",
    "activity.pruned": "Old records were deleted",
    "webhook.created": "A webhook was added",
    "webhook.changed": "A webhook was changed",
    "webhook.secret_rotated": "A webhook got a new signing secret",
    "webhook.tested": "A test event was sent to a webhook",
    "webhook.resent": "An event was sent to a webhook once more",
    "webhook.switched_off": "A webhook was switched off after too many failures",
    "webhook.switched_on": "A webhook was switched on again",
    "webhook.deleted": "A webhook was deleted",
}
