"""Trade an authorization code for the first pair of tokens."""

from dataclasses import dataclass

from keybearer.server import issuing, ledger, refusals, secrets
from keybearer.server.events import Activity, Actor
from keybearer.server.issuing import Terms, TokenPair
from keybearer.server.records import Client, Code, FamilyStanding
from keybearer.server.refusals import Refusal
from keybearer.server.rules import pkce
from keybearer.server.store import codes, grants
from keybearer.server.store.database import Transaction
from keybearer.wire import token_text


@dataclass(frozen=True, slots=True)
class Presented:
    """A code as a client presents it; None for a parameter that was not sent."""

    text: str
    redirect_uri: str | None
    verifier: str | None


async def exchange_code(
    tx: Transaction, actor: Actor, client: Client, presented: Presented, terms: Terms, now: int
) -> TokenPair | Refusal:
    """
    Trade a code for tokens, once.

    Whose it is comes before every punishment, so that a stranger who holds the text of a code can neither use it up nor
    end what it gave. After that, a wrong redirect URI or verifier uses the code up (one guess each), and a second use
    ends all that the first one gave: these refusals are *returned*, so that they commit.

    Args:
        client: authenticated.
        now: microseconds since 1970 UTC.

    Raises:
        Refusal: ``invalid_grant``: not a code of this client's, or nobody may act by it now; nothing has changed.

    Source: RFC 6749 §4.1.2, §4.1.3, §10.5; RFC 7636 §4.6; RFC 9700 §2.1.1, §4.8.2.
    """
    parsed = token_text.parse(presented.text)
    if parsed is None or parsed.kind != "oac":
        raise refusals.invalid_grant("not a code")
    if presented.verifier is not None and not pkce.is_verifier(presented.verifier):
        raise refusals.invalid_grant("code_verifier malformed")
    digest = secrets.digest(presented.text)
    code = await codes.take(tx, digest, client.client_id, now)
    if code is None:
        return await _not_taken(tx, actor, digest, client, now)
    if reason := _mismatch(code, presented):
        return refusals.invalid_grant(reason)
    family = await grants.family_standing(tx, code.family_id)
    if family is None or (reason := _nobody_acts(family, now)):
        raise refusals.invalid_grant("no such family" if family is None else reason)
    pair = await issuing.first_pair(tx, family, terms, now)
    await ledger.record(tx, actor, _issued(family, client, pair), now)
    return pair


async def _not_taken(tx: Transaction, actor: Actor, digest: bytes, client: Client, now: int) -> Refusal:
    """Find out why there was no code to take; a second use ends what the first one gave."""
    code = await codes.by_digest(tx, digest)
    if code is None:
        raise refusals.invalid_grant("unknown code")
    if code.client_id != client.client_id:
        raise refusals.invalid_grant("another client's code")
    if code.used_at is None:
        raise refusals.invalid_grant("code expired")
    if await grants.end_family(tx, code.family_id, now):
        family = await grants.family_standing(tx, code.family_id)
        assert family is not None  # noqa: S101 - the code's own key leads to it
        await ledger.record(tx, actor, _replayed(family, client), now)
    return refusals.invalid_grant("code replayed")


def _mismatch(code: Code, presented: Presented) -> str:
    """Say what of the exchange does not fit the request that the code was given for; '' if all does."""
    if presented.redirect_uri is None and code.redirect_uri_sent == "yes":
        return "redirect_uri missing"
    if presented.redirect_uri not in {None, code.redirect_uri}:
        return "redirect_uri differs"
    if code.challenge is None:
        return "code_verifier without a challenge" if presented.verifier is not None else ""
    if presented.verifier is None:
        return "code_verifier missing"
    return "" if pkce.verifier_matches(presented.verifier, code.challenge) else "code_verifier wrong"


def _nobody_acts(family: FamilyStanding, now: int) -> str:
    """Say what keeps everybody from acting by this family now; '' if nothing does."""
    if family.ended_at is not None or family.expires_at <= now:
        return "family ended"
    if family.grant_ended_at is not None:
        return "grant ended"
    if family.user_disabled_at is not None:
        return "user disabled"
    if family.team_archived_at is not None:
        return "team archived"
    if family.role is None or (family.membership_expires_at is not None and family.membership_expires_at <= now):
        return "user not in the team"
    return ""


def _issued(family: FamilyStanding, client: Client, pair: TokenPair) -> Activity:
    return Activity(
        "token.issued",
        f"token:{pair.access_id}",
        user_id=family.user_id,
        team_id=family.team_id,
        environment=family.environment,
        client_id=client.client_id,
        grant_id=family.grant_id,
        token_id=pair.access_id,
        token_last4=pair.access_text[-4:],
    )


def _replayed(family: FamilyStanding, client: Client) -> Activity:
    return Activity(
        "code.replayed",
        f"family:{family.family_id}",
        user_id=family.user_id,
        team_id=family.team_id,
        environment=family.environment,
        client_id=client.client_id,
        grant_id=family.grant_id,
        outcome="refused",
    )
