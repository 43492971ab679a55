"""Give an API client a new secret, and let the present ones end."""

from dataclasses import dataclass

from keybearer.server import ledger, refusals
from keybearer.server.activities import Actor
from keybearer.server.client_changes import client_activity, client_to_change, keep_secret
from keybearer.server.issuing import Mint
from keybearer.server.records import Client
from keybearer.server.rules.client_details import MAX_SECRETS
from keybearer.server.rules.lifetimes import overlap_of
from keybearer.server.store import clients
from keybearer.server.store.database import Transaction


@dataclass(frozen=True, slots=True)
class Rotation:
    """
    What a person chose.

    Args:
        team_id: the active team; another team's client is not found.
        overlap: how long the present secrets go on working, one of ``lifetimes.OVERLAPS``.
    """

    team_id: int
    overlap: str


@dataclass(frozen=True, slots=True)
class NewSecret:
    """A secret's text, shown once; the present secrets end at *others_end_at*, microseconds since 1970 UTC."""

    client: Client
    secret: str
    others_end_at: int


async def rotate_client_secret(
    tx: Transaction, actor: Actor, client_id: str, rotation: Rotation, prefix: str, now: int
) -> NewSecret:
    """
    Make a new secret; the present ones go on working for the overlap, those that end sooner excepted.

    Args:
        prefix: the provider's own.
        now: microseconds since 1970 UTC.

    Raises:
        Refusal: ``not_found``; ``invalid``: no such overlap, a public client, or too many secrets at once.
    """
    client = await client_to_change(tx, client_id, rotation.team_id)
    if client.kind != "confidential":
        raise refusals.invalid("overlap", "A public app has no secret, so there is none to rotate.")
    ends_at = now + overlap_of(rotation.overlap)
    await clients.end_secrets(tx, client_id, ends_at)
    if len(await clients.secrets_of(tx, client_id, now)) >= MAX_SECRETS:
        public = f"{MAX_SECRETS} secrets work already. Choose that they stop at once, or wait until one has ended."
        raise refusals.invalid("overlap", public)
    secret = await keep_secret(tx, client_id, Mint(prefix, client.environment), now)
    await ledger.record(tx, actor, client_activity("client.secret_rotated", client), now)
    return NewSecret(client, secret, ends_at)
