"""Which client calls, by the credentials that it presents."""

from dataclasses import dataclass

from keybearer.server import refusals, secrets
from keybearer.server.records import Client
from keybearer.server.rules.client_authentication import Standing, as_client_id, stands
from keybearer.server.store import clients
from keybearer.server.store.database import Reader


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a client said of itself; ``secret`` is None where it sent none, or an empty one (RFC 6749 §3.2)."""

    client_id: str
    secret: str | None


async def authenticate(reader: Reader, credentials: Credentials, now: int) -> Client:
    """
    Return the client behind these credentials.

    An unknown client costs the same look-up and comparison as a known one.

    Args:
        now: microseconds since 1970 UTC.

    Raises:
        Refusal: ``invalid_client``; its detail says why, its sentence does not.

    Source: RFC 6749 §2.3.1, §3.2.1.
    """
    presented = None if credentials.secret is None else secrets.digest(credentials.secret)
    client, digests = await clients.with_secrets(reader, as_client_id(credentials.client_id), now)
    standing = stands(client, digests, presented)
    if client is None or standing is not Standing.AUTHENTIC:
        raise refusals.invalid_client(standing.value)
    return client
