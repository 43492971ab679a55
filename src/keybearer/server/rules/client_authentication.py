"""Whether a client is who it says."""

import hmac
import re
from collections.abc import Sequence
from enum import StrEnum
from typing import Final

from keybearer.server.records import Client

_NOBODYS_DIGEST: Final = bytes(32)


_CLIENT_ID: Final = re.compile(r"[A-Za-z0-9\-._~]{4,64}")


class Standing(StrEnum):
    """What came of an authentication: the log is told which, the client only whether."""

    AUTHENTIC = "authentic"
    UNKNOWN = "unknown client"
    SILENT = "a confidential client sent no secret"
    WRONG = "wrong secret"
    NEEDLESS = "a public client sent a secret"


def stands(client: Client | None, digests: Sequence[bytes], presented: bytes | None) -> Standing:
    """
    Judge what a client presented.

    Every accepted secret is compared, in a time that tells nothing; an unknown client costs a comparison too.

    Args:
        client: None for an unknown one.
        digests: SHA-256 of each secret that is accepted now.
        presented: SHA-256 of the presented secret; None if there was none.

    Source: RFC 6749 §2.3 (a client with credentials must use them), §3.2.1.
    """
    matches = [hmac.compare_digest(held, presented or b"") for held in digests or (_NOBODYS_DIGEST,)]
    if client is None:
        return Standing.UNKNOWN
    if client.kind == "public":
        return Standing.AUTHENTIC if presented is None else Standing.NEEDLESS
    if presented is None:
        return Standing.SILENT
    return Standing.AUTHENTIC if any(matches) and digests else Standing.WRONG


def as_client_id(text: str | None) -> str:
    """
    Return *text* if it could be a client's id, else '', which no client has.

    So whatever was sent costs the same look-up, and nothing reaches the database that it cannot take.
    """
    return text if text is not None and _CLIENT_ID.fullmatch(text) else ""
