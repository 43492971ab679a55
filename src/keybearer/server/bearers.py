"""Who acts with a token at this server's own endpoints: the node verifies it like any verifier, out of a mirror."""

from collections.abc import Mapping
from typing import Final

from keybearer.server import secrets
from keybearer.server.clock import SECOND
from keybearer.server.feed.one_look import OneLook
from keybearer.server.feed.reader import FeedReader
from keybearer.server.limits.places import Places
from keybearer.server.reads.fetched_token import fetched_token
from keybearer.server.store.database import Database
from keybearer.verify.mirror import Mirror, Mirrored
from keybearer.verify.recent_denials import DENIAL_S, RecentDenials
from keybearer.wire import token_text
from keybearer.wire.denial import Denial, Reason
from keybearer.wire.feed import Fetched
from keybearer.wire.principal import Principal

_MOST_ENTRIES: Final = 100_000  # of each environment; some 50 MB


class Bearers:
    """
    Keeps a mirror of each environment up to date with the feed.

    A call sees whatever was committed before it was sent, by any process: each call looks where the feed stands, and
    calls of the same moment share that look. Whether a token has expired is judged by the node's wall clock, as in the
    store.

    Args:
        prefix: the provider's own token prefix.
        role_permissions: what each role may do.
    """

    def __init__(
        self,
        database: Database,
        feed: FeedReader,
        look_ups: Places,
        prefix: str,
        role_permissions: Mapping[str, frozenset[str]],
    ) -> None:
        self._database = database
        self._feed = feed
        self._look = OneLook(feed.is_fresh)
        self._look_ups = look_ups
        self._denials = RecentDenials(keep_s=DENIAL_S * SECOND)
        self._prefix = prefix
        self._role_permissions = role_permissions
        self._mirrors = {environment: Mirror(_MOST_ENTRIES) for environment in token_text.ENVIRONMENTS}
        for mirror in self._mirrors.values():
            feed.add_follower(mirror)

    async def bearer(self, text: str, now: int, source: str) -> Principal | Denial:
        """
        Tell who acts with the token of this *text*, or why nobody does.

        A text that cannot be a token of ours is refused without a look at anything but itself.

        Args:
            now: microseconds since 1970 UTC.
            source: who presents it, for `Places`.

        Raises:
            StoreUnavailable: nobody can say.
            Refusal: those of `Places.place`.
        """
        digest = secrets.digest(text)
        if denial := self._cannot_be_ours(text, digest):
            return denial
        if not self._look.knows_all():
            await self._feed.fresh()
        return await self._as_told(text, digest, now, source)

    def known(self, text: str, now: int) -> Principal | None:
        """Tell who acts with the token of this *text* if that is remembered; the caller knows the feed is fresh."""
        return self._known(secrets.digest(text), now)

    async def bearer_as_told(self, text: str, now: int, source: str) -> Principal | Denial:
        """Tell what `bearer` does, for a caller that has just had the feed looked at."""
        digest = secrets.digest(text)
        return self._cannot_be_ours(text, digest) or await self._as_told(text, digest, now, source)

    def _cannot_be_ours(self, text: str, digest: bytes) -> Denial | None:
        if self._entry(digest) is not None:
            return None
        parsed = token_text.parse(text)
        if parsed is None or parsed.prefix != self._prefix:
            return Denial(Reason.MALFORMED)
        return None if parsed.kind in token_text.BEARER_KINDS else Denial(Reason.WRONG_KIND, parsed.last4)

    async def _as_told(self, text: str, digest: bytes, now: int, source: str) -> Principal | Denial:
        return self._known(digest, now) or await self._fetch(text, digest, now, source)

    def _known(self, digest: bytes, now: int) -> Principal | None:
        entry = self._entry(digest)
        return entry if entry is not None and now < entry.deadline else None

    def _entry(self, digest: bytes) -> Mirrored | None:
        for mirror in self._mirrors.values():
            if (entry := mirror.entries.get(digest)) is not None:
                return entry
        return None

    async def _fetch(self, text: str, digest: bytes, now: int, source: str) -> Principal | Denial:
        """Ask the store, and keep the answer."""
        position = self._feed.position
        if position is not None and (denial := self._denials.get(digest, position, now)):
            return denial
        parsed = token_text.parse(text)
        assert parsed is not None  # noqa: S101 - whatever cannot be parsed is not known, and was refused
        async with self._look_ups.place(source):
            fetched = await fetched_token(self._database, digest, parsed.environment, self._role_permissions, now)
        if isinstance(fetched, Denial):
            denial = Denial(fetched.reason, parsed.last4, fetched.bearer)
            if position is not None and self._feed.position is not None:
                self._denials.keep(digest, denial, position, self._feed.position, now)
            return denial
        return self._keep(digest, fetched, now)

    def _keep(self, digest: bytes, fetched: Fetched, now: int) -> Principal | Denial:
        mirror, position = self._mirrors[fetched.principal.environment], self._feed.position
        if mirror.is_buried(fetched):
            return Denial(Reason.REVOKED, fetched.principal.token_last4, fetched.principal.bearer)
        if position is not None and position.epoch == fetched.epoch:
            mirror.insert(digest, fetched, position.seq, now + fetched.remaining_s * SECOND)
        return fetched.principal
