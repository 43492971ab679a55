"""Which client calls, by the credentials that it presents."""

from collections.abc import Sequence
from dataclasses import dataclass

from keybearer.server import refusals, secrets
from keybearer.server.records import Client
from keybearer.server.refusals import Refusal
from keybearer.server.rules.client_authentication import Standing, as_client_id, stands
from keybearer.server.store import clients
from keybearer.server.store.database import Reader


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a client said of itself; ``secret`` is None where it sent none, or an empty one (RFC 6749 §3.2)."""

    client_id: str
    secret: str | None


async def authenticate(reader: Reader, asked: Sequence[Credentials], now: int) -> list[Client | Refusal]:
    """
    Return the client behind each of these credentials, all by one look-up.

    An unknown client costs the same look-up and comparison as a known one.

    Args:
        now: microseconds since 1970 UTC.

    Returns:
        For credentials that are no client's the refusal ``invalid_client``; its detail says why, its sentence does not.

    Source: RFC 6749 §2.3.1, §3.2.1.
    """
    ids = {as_client_id(credentials.client_id) for credentials in asked}
    known = await clients.with_secrets(reader, sorted(ids), now)
    return [_judged(credentials, *known.get(credentials.client_id, (None, []))) for credentials in asked]


def _judged(credentials: Credentials, client: Client | None, digests: Sequence[bytes]) -> Client | Refusal:
    presented = None if credentials.secret is None else secrets.digest(credentials.secret)
    standing = stands(client, digests, presented)
    if client is None or standing is not Standing.AUTHENTIC:
        return refusals.invalid_client(standing.value)
    return client
