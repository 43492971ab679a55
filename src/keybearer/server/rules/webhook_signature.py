"""The headers that show a webhook's receiver who sends: the reference's form, and the Standard Webhooks form."""

import base64
import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from keybearer.server.units import SECOND

_PREFIX: Final = "whsec_"
SIGNATURE: Final = "x-keybearer-signature"
ATTEMPT: Final = "x-keybearer-attempt"


@dataclass(frozen=True, slots=True)
class Attempt:
    """
    One sending of a delivery.

    Args:
        number: from 1.
        sent_at: microseconds since 1970 UTC.
    """

    delivery_id: str
    number: int
    sent_at: int


def signed_headers(attempt: Attempt, body: bytes, secrets: Sequence[str]) -> dict[str, str]:
    """
    Return the headers for one sending.

    The reference's signature is one value, so while an old secret goes on signing beside a new one it is the old one's:
    a receiver has that time to learn the new one, and takes whichever fits.

    Args:
        body: exactly what is sent.
        secrets: the webhook's, ``whsec_…``; the newest first.

    Source: Standard Webhooks 1.0.0, "Signature scheme" and "Webhook headers".
    """
    sent_at_s = attempt.sent_at // SECOND
    content = f"{attempt.delivery_id}.{sent_at_s}.".encode() + body
    return {
        SIGNATURE: _hmac(secrets[-1].encode(), body),
        ATTEMPT: str(attempt.number),
        "webhook-id": attempt.delivery_id,
        "webhook-timestamp": str(sent_at_s),
        "webhook-signature": " ".join(f"v1,{_hmac(_key(secret), content)}" for secret in secrets),
    }


def _key(secret: str) -> bytes:
    return base64.b64decode(secret.removeprefix(_PREFIX))


def _hmac(key: bytes, content: bytes) -> str:
    return base64.b64encode(hmac.digest(key, content, hashlib.sha256)).decode("ascii")
