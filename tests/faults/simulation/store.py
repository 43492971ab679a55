"""A store with a synchronous standby: tokens, changes, fail-over, crashes that lose what was not confirmed."""

from collections import deque
from dataclasses import dataclass, field
from typing import Final

from keybearer.wire.denial import Denial, Reason
from keybearer.wire.feed import NO_HASH, Event, Fetched, Position, chain_hash
from keybearer.wire.packing import packed_place, packed_token
from keybearer.wire.principal import Principal
from tests.faults.simulation.world import World

USERS: Final = 4
TEAMS: Final = 2
TOKENS: Final = 16
KEPT: Final = 20  # events; those before are pruned
WRITE: Final = "records:write"
READ: Final = "records:read"
_MAY: Final = {"owner": frozenset({READ, WRITE}), "member": frozenset({READ})}
_YEAR_S: Final = 31_536_000.0


@dataclass(frozen=True)
class Token:
    """A token by its number and how often it was made anew; its digest stands for its text."""

    number: int
    generation: int

    @property
    def digest(self) -> bytes:
        return f"{self.number}/{self.generation}".encode()

    @property
    def grant_id(self) -> str:
        return f"g{self.number}.{self.generation}"

    @property
    def user_id(self) -> int:
        return self.number % USERS

    @property
    def team_id(self) -> int:
        return self.number // USERS % TEAMS


@dataclass
class State:
    """What the tables hold."""

    ended: set[str] = field(default_factory=set)
    disabled: set[int] = field(default_factory=set)
    roles: dict[tuple[int, int], str] = field(default_factory=dict)

    def copy(self) -> "State":
        return State(set(self.ended), set(self.disabled), dict(self.roles))

    def change(self, event: Event) -> None:
        """Do what an event of the feed tells of."""
        noun, *parts = event.subject.split(":")
        if noun == "grant":
            self.ended.add(parts[0])
        elif noun == "user":
            self.disabled ^= {int(parts[0])}
        else:
            place = (int(parts[0]), int(parts[1]))
            self.roles[place] = "member" if self.role(place) == "owner" else "owner"

    def taken(self) -> list[tuple[str, str]]:
        """Return the events that would give back what was taken."""
        users = [("user.changed", f"user:{user}") for user in sorted(self.disabled)]
        lowered = sorted(place for place, role in self.roles.items() if role != "owner")
        return users + [("membership.changed", f"membership:{user}:{team}") for user, team in lowered]

    def role(self, place: tuple[int, int]) -> str:
        return self.roles.get(place, "owner")

    def may_write(self, token: Token) -> bool:
        is_alive = token.grant_id not in self.ended and token.user_id not in self.disabled
        return is_alive and self.role((token.user_id, token.team_id)) == "owner"


class Primary:
    """One server of the store: what it holds and shows, confirmed by its standby or not yet."""

    def __init__(self, epoch: str, log: list[Event], state: State) -> None:
        self.epoch = epoch
        self.log = log
        self.state = state
        self.min_seq = max(1, len(log) - KEPT)
        self.is_fenced = False

    @property
    def head(self) -> Position:
        newest = self.log[-1] if self.log else None
        return Position(self.epoch, newest.seq, newest.hash) if newest else Position(self.epoch, 0, NO_HASH)

    def append(self, kind: str, subject: str, at: int) -> Event:
        head = self.head
        seq = head.seq + 1
        event = Event(seq, kind, subject, at, chain_hash(head.hash, seq, kind, subject, at))
        self.log.append(event)
        self.state.change(event)
        self.min_seq = max(self.min_seq, seq - KEPT)
        return event

    def fetch(self, token: Token) -> Fetched | Denial:
        if token.grant_id in self.state.ended or token.user_id in self.state.disabled:
            return Denial(Reason.REVOKED)
        role = self.state.role((token.user_id, token.team_id))
        place = packed_place(token.team_id, 0, "live", role, ("", ""))
        ids = (f"t{token.grant_id}", token.grant_id, "abcd")
        packed = packed_token("pat", 0, is_narrowed=False, ids=ids)
        principal = Principal(token.user_id, place, _MAY[role], None, packed)
        return Fetched(principal, self.epoch, self.head.seq, None, _YEAR_S)


class Store:
    """The store as its users see it, and the truth: since when a token may not write."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.primary = Primary("e0", [], State())
        self.tokens = [Token(number, 0) for number in range(TOKENS)]
        self.presented = deque(self.tokens, maxlen=TOKENS * 2)
        self._made = list(self.tokens)
        self.denied_since: dict[Token, float] = {}
        self._standby = State()
        self._confirmed = 0
        self._epochs = 0
        self._standby_slow_until = 0.0
        world.every(0.7, self.change)
        world.every(15, self.burst)
        world.every(2, self._make_anew)
        world.every(8, self._slow_down_standby)

    def change(self) -> None:
        """Take something away, or give something back that was taken, about as often."""
        random = self.world.random
        taken = self.primary.state.taken()
        if taken and random.random() < 0.35:
            self.commit(*random.choice(taken))
            return
        token = random.choice(self.tokens)
        place = f"{token.user_id}:{token.team_id}"
        kind, subject = random.choice(
            (
                ("grant.ended", f"grant:{token.grant_id}:{place}"),
                ("grant.ended", f"grant:{token.grant_id}:{place}"),
                ("user.changed", f"user:{token.user_id}"),
                ("membership.changed", f"membership:{place}"),
            )
        )
        self.commit(kind, subject)

    def commit(self, kind: str, subject: str) -> None:
        """Commit one change on the present primary."""
        primary = self.primary
        event = primary.append(kind, subject, int(self.world.now * 1_000_000))
        self._judge()
        lag = max(self._standby_slow_until - self.world.now, self.world.random.uniform(0, 0.04))
        self.world.after(lag, lambda: self._confirm(primary, event))

    def _confirm(self, primary: Primary, event: Event) -> None:
        """Have the standby hold the change, unless the primary was lost before: then it never was acknowledged."""
        if primary is not self.primary:
            return
        for earlier in primary.log[self._confirmed : event.seq]:
            self._standby.change(earlier)
        self._confirmed = max(self._confirmed, event.seq)

    def _judge(self) -> None:
        """Note which tokens may not write from now on; one that is not presented any more may be on its way still."""
        for token in self._made:
            if self.primary.state.may_write(token):
                self.denied_since.pop(token, None)
            else:
                self.denied_since.setdefault(token, self.world.now)

    def fail_over(self) -> None:
        """Promote the standby; the old primary lives on, and its users may not have noticed."""
        self.primary.is_fenced = True
        self._begin_lineage(self.primary)

    def crash(self) -> None:
        """Restart the primary without what its standby had not confirmed, though it may have been seen."""
        self._begin_lineage(self.primary)

    def next_epoch(self) -> str:
        """Name a new lineage."""
        self._epochs += 1
        return f"e{self._epochs}"

    def _begin_lineage(self, old: Primary) -> None:
        self.primary = Primary(self.next_epoch(), old.log[: self._confirmed], self._standby.copy())
        self._judge()

    def burst(self, fewest: int = 5, most: int = 40) -> None:
        """Change much at once."""
        for _ in range(self.world.random.randint(fewest, most)):
            self.change()

    def _slow_down_standby(self) -> None:
        self._standby_slow_until = self.world.now + self.world.random.uniform(0.5, 3)

    def _make_anew(self) -> None:
        """Let whoever lost a token make another; the old one is presented for a while yet."""
        for index, token in enumerate(self.tokens):
            if token.grant_id in self._standby.ended:
                self.tokens[index] = Token(token.number, token.generation + 1)
                self.presented.append(self.tokens[index])
                self._made.append(self.tokens[index])
