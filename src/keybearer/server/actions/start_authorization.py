"""Keep an authorization request until its user has decided."""

from typing import Final

from keybearer.server import secrets
from keybearer.server.clock import MINUTE
from keybearer.server.records import Authorization
from keybearer.server.rules.authorize_request import Examined
from keybearer.server.store import authorizations
from keybearer.server.store.database import Transaction

LIFETIME: Final = 10 * MINUTE


async def start_authorization(tx: Transaction, examined: Examined, session_id: str, now: int) -> str:
    """
    Keep the request as it was examined, for this session alone, and return the text by which its page names it.

    What the page posts is that text and a decision; everything else comes from here, so a page that was tampered with
    changes nothing.

    Args:
        now: microseconds since 1970 UTC.
    """
    text = secrets.random_secret()
    await authorizations.add(
        tx,
        Authorization(
            digest=secrets.digest(text),
            session_id=session_id,
            client_id=examined.client.client_id,
            redirect_uri=examined.redirect_uri,
            redirect_uri_sent=examined.redirect_uri_sent,
            state=examined.state,
            narrowing=examined.narrowing,
            scope=examined.scope,
            challenge=examined.challenge,
            created_at=now,
            expires_at=now + LIFETIME,
            used_at=None,
        ),
    )
    return text
