"""`make faults ROUNDS=20`: so many rounds on each database, with troubles by chance; what breaks the bound is told."""

import argparse
import asyncio
import logging
import secrets
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from keybearer.server.store.migrations import migrate
from tests.faults.processes.failover import another_takes_over
from tests.faults.processes.from_outside import FROM_OUTSIDE, ON_SQLITE_ALONE, WITH_ANOTHER_CLOCK
from tests.faults.processes.herd import herd_comes_back
from tests.faults.processes.reporting import reports_arrive
from tests.faults.processes.rig import AHEAD, Rig, Store, rig_on
from tests.faults.processes.rounds import MISTAKES, play_round
from tests.faults.processes.troubles import NODE_TROUBLES, STORE_TROUBLES, VERIFIER_TROUBLES, NodeTrouble, Trouble
from tests.support.postgres import running_cluster

VERIFIERS = ("Anna", "Ben", "Cleo", "Dora", AHEAD)
ASKING_BOTH = ("Cleo", "Dora")
ROUNDS_A_RIG = 20
HERD = 25


@dataclass(slots=True)
class Tally:
    """What all rounds came to; seconds."""

    rounds: int = 0
    broken: int = 0
    caught: int = 0
    accepted_s: float = 0.0
    back_s: list[float] = field(default_factory=list)


def main() -> int:
    """Play the rounds; 1 if the bound was broken or an acknowledged end lost."""
    parser = argparse.ArgumentParser(prog="make faults", description=__doc__)
    parser.add_argument("--rounds", type=int, default=20, help="on each database")
    parser.add_argument("--seed", type=int, default=secrets.randbelow(2**32), help="of what happens by chance")
    asked = parser.parse_args()
    logging.disable(logging.CRITICAL)  # the furnished house's; the nodes write files of their own
    tally = Tally()
    for number, first in enumerate(range(0, asked.rounds, ROUNDS_A_RIG)):
        for kind in ("sqlite", "postgresql"):
            seed = asked.seed + number
            print(f"seed {seed}, {kind}", flush=True)
            _play(kind, seed, min(ROUNDS_A_RIG, asked.rounds - first), tally)
    back = sorted(tally.back_s)
    print(
        f"{tally.rounds} rounds: {tally.broken} broke the bound or lost an end. A token was accepted for"
        f" {tally.accepted_s:.2f} s after its end at the most. All were back in service after"
        f" {back[len(back) // 2]:.2f} s (median), {back[-1]:.2f} s (maximum)."
        f" Mistaken verifiers were caught in {tally.caught} of {2 * tally.rounds} cases."
    )
    return 1 if tally.broken or not tally.caught else 0


def _play(kind: str, seed: int, rounds: int, tally: Tally) -> None:
    with TemporaryDirectory(prefix="keybearer-faults-") as folder, _store(kind, Path(folder)) as store:
        asyncio.run(_rounds(Path(folder), store, seed, rounds, tally))
        if store.cluster:
            accepted_s = asyncio.run(another_takes_over(Path(folder), seed))
            print(
                f"  F4: tokens that ended at a standby that took over were accepted for {accepted_s:.2f} s at the most",
                flush=True,
            )


async def _rounds(folder: Path, store: Store, seed: int, rounds: int, tally: Tally) -> None:
    verifiers = {**dict.fromkeys(VERIFIERS, ""), **{mistake: mistake for mistake in MISTAKES}}
    async with rig_on(folder, store, seed=seed, verifiers=verifiers, asking_both=ASKING_BOTH) as rig:
        bag: list[str] = []
        for _ in range(rounds):
            bag = bag or rig.random.sample([*_of_nodes(rig), ""], len(_of_nodes(rig)) + 1)
            await _one(rig, bag.pop(), tally)
        herd_s = await herd_comes_back(rig, HERD)
        print(
            f"  F23: {HERD} verifiers that lost their node together were all back {herd_s:.2f} s after it", flush=True
        )
        reported = await reports_arrive(rig, folder / "calls")
        print(f"  F2: {reported} calls that an API answered, killed and cut off, are recorded once each", flush=True)
        if lost := await rig.living_dead():
            print(f"  ACKNOWLEDGED ENDS WERE LOST: {lost}")
            tally.broken += 1


async def _one(rig: Rig, node_trouble: str, tally: Tally) -> None:
    troubles = chosen(rig)
    await rig.until_quiet()
    known = rig.ledger.late()
    begun = f"{node_trouble or 'nodes well'}; {', '.join(f'{who}: {what}' for who, what in troubles.items())}"
    picked: dict[str, Trouble] = {who: VERIFIER_TROUBLES[what] for who, what in troubles.items()}
    seen = await play_round(rig, picked, _of_nodes(rig).get(node_trouble))
    late = [each for each in rig.ledger.late() if each not in known]
    broken = [each for each in late if each.verifier not in MISTAKES]
    tally.rounds += 1
    tally.broken += bool(broken)
    tally.caught += len(late) - len(broken)
    tally.accepted_s = max(tally.accepted_s, seen.accepted_s)
    tally.back_s.append(seen.back_s)
    print(f"  last accepted after {seen.accepted_s:5.2f} s, back after {seen.back_s:5.2f} s: {begun}", flush=True)
    for each in broken:
        print(f"  THE BOUND WAS BROKEN: {each}")


def chosen(rig: Rig) -> dict[str, str]:
    """Return a trouble for each verifier, by chance, and for each mistaken one that in which it must be caught."""
    random = rig.random
    troubles = {who: random.choice([*VERIFIER_TROUBLES]) for who in VERIFIERS if random.random() < 0.7}
    return troubles | MISTAKES


def _of_nodes(rig: Rig) -> dict[str, NodeTrouble]:
    """Return every trouble that there is for a node of this rig."""
    of_the_store = STORE_TROUBLES if rig.store.cluster else ON_SQLITE_ALONE
    return NODE_TROUBLES | FROM_OUTSIDE | of_the_store | (WITH_ANOTHER_CLOCK if rig.node_clock else {})


@contextmanager
def _store(kind: str, folder: Path) -> Iterator[Store]:
    if kind == "sqlite":
        url = f"sqlite:///{folder / 'keybearer.db'}"
        migrate(url)
        yield Store(url, None)
        return
    with running_cluster(durable=True) as cluster:
        migrate(cluster.url())
        yield Store(cluster.url(), cluster)


if __name__ == "__main__":
    sys.exit(main())
