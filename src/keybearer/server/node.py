"""The parts of one running server process, which every endpoint is given."""

from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from typing import Any, Concatenate, ParamSpec, TypeVar

from keybearer.server.accounts.passwords import Passwords
from keybearer.server.activity.call_records import CallRecords
from keybearer.server.bearers import Bearers
from keybearer.server.clock import Clock
from keybearer.server.feed.reader import FeedReader
from keybearer.server.last_used import LastUsed
from keybearer.server.limits.own_calls import OwnCalls
from keybearer.server.limits.places import Places
from keybearer.server.mail.mailer import Mailer
from keybearer.server.notices.sender import NoticeSender
from keybearer.server.sealing.sealer import Sealer
from keybearer.server.settings import Settings
from keybearer.server.store.database import Database, Reader, Transaction, at_once
from keybearer.server.verifiers.certainty import Certainty
from keybearer.server.verifiers.keys import VerifierKeys
from keybearer.server.verifiers.known import Verifiers
from keybearer.server.verifiers.neighbours import Neighbours
from keybearer.server.webhooks.sender import WebhookSender

P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Node:
    """
    The parts that doors work with; made once in ``app`` and handed down.

    Args:
        policy: the digest of *role_permissions*.
        webhook_key: seals the signing secrets of webhooks.
        cursor_key: signs the cursors of lists.
        look_ups, typed_passwords: places for those who wait.
    """

    settings: Settings
    database: Database
    now: Clock
    passwords: Passwords
    mailer: Mailer
    own_calls: OwnCalls
    last_used: LastUsed
    last_seen: LastUsed
    feed: FeedReader
    look_ups: Places
    bearers: Bearers
    verifier_keys: VerifierKeys
    verifiers: Verifiers
    neighbours: Neighbours
    certainty: Certainty
    call_records: CallRecords
    role_permissions: Mapping[str, frozenset[str]]
    policy: str
    webhook_sender: WebhookSender
    notice_sender: NoticeSender
    webhook_key: str
    cursor_key: bytes
    sealer: Sealer
    typed_passwords: Places = field(default_factory=Places.for_typed_passwords)

    def roles_with(self, permission: str) -> frozenset[str]:
        """Return the roles that give this permission."""
        return frozenset(role for role, given in self.role_permissions.items() if permission in given)

    async def act(
        self, action: Callable[Concatenate[Transaction, P], Awaitable[T]], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Run an action in one transaction: returning commits, raising rolls back; durable when this returns."""
        return await self.database.transact(action, *args, **kwargs)

    async def view(self, read: Callable[Concatenate[Reader, P], Awaitable[T]], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run a read on one unchanging snapshot."""
        return await self.database.view(read, *args, **kwargs)

    def read_at_once(self, read: Coroutine[Any, Any, T]) -> T:
        """Return what a *read* of the newest state gives, without waiting; for hits, which are nowhere else."""
        return at_once(read)
