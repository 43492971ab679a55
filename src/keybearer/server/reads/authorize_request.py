"""Examines an authorization request before anybody is asked."""

from keybearer.server import refusals
from keybearer.server.rules import authorize_request as rules
from keybearer.server.rules.authorize_request import Asked, Examined, Known
from keybearer.server.rules.client_authentication import as_client_id
from keybearer.server.rules.narrowing import narrowing_of
from keybearer.server.store import clients, grants
from keybearer.server.store.database import Reader

__all__ = ["NAMES", "Examined", "examine"]

NAMES = tuple(Asked.__dataclass_fields__)


async def examine(reader: Reader, values: dict[str, str | None], permission_names: frozenset[str]) -> Examined:
    """
    Judge a request by the ordered checks of ``rules/authorize_request``.

    Args:
        values: the parameters of ``NAMES``, each sent at most once; empty ones count as absent.

    Raises:
        Refusal: client or place are not known to be good, so the browser is sent nowhere.

    Source: RFC 6749 §4.1.1, §4.1.2.1.
    """
    asked = Asked(**{name: values.get(name) or None for name in NAMES})
    if asked.client_id is None:
        raise refusals.invalid_request("The request does not say which app asks: client_id is missing.", "no client_id")
    client = await clients.by_client_id(reader, as_client_id(asked.client_id))
    if client is None:
        raise refusals.invalid_request("This app is not known here. It may have been deleted.", "unknown client")
    uris = await clients.redirect_uris(reader, client.client_id)
    known = Known(client, uris, permission_names)
    if refusal := rules.first_refusal(rules.BEFORE_THE_PLACE_IS_KNOWN, asked, known):
        raise refusal
    is_trusted = await grants.was_ever_given(reader, client.client_id)
    return _examined(asked, known, is_trusted=is_trusted)


def _examined(asked: Asked, known: Known, *, is_trusted: bool) -> Examined:
    refusal = rules.first_refusal(rules.AFTER_THE_PLACE_IS_KNOWN, asked, known)
    place = rules.returns_to(asked, known)
    assert place is not None  # noqa: S101 - BEFORE_THE_PLACE_IS_KNOWN was passed
    narrowed = narrowing_of(asked.scope or "", known.permission_names)
    narrowing, scope = ("scope", "") if isinstance(narrowed, frozenset) else narrowed
    return Examined(
        client=known.client,
        redirect_uri=place,
        redirect_uri_sent="no" if asked.redirect_uri is None else "yes",
        state=asked.state,
        narrowing=narrowing,
        scope=scope,
        challenge=asked.code_challenge,
        prompts=asked.prompts,
        is_trusted=is_trusted,
        refusal=refusal,
    )
