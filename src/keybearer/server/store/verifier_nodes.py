"""What nodes tell one another about their verifiers: one row for each node that has any."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from sqlalchemy import BigInteger, bindparam, delete, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from keybearer.server.records import Report, Verifier
from keybearer.server.store.database import Reader, Transaction
from keybearer.server.store.tables import verifier_nodes

_END: Final = 2**63 - 1
_its = verifier_nodes.c.node_id == bindparam("the_node")
_seq = bindparam("the_seq", type_=BigInteger)

_ALL = select(verifier_nodes)
_WANTED = select(verifier_nodes.c.wanted).where(_its)
_APPEAR = upsert(verifier_nodes).on_conflict_do_nothing()
_BEAT = update(verifier_nodes).where(_its).values(beat=verifier_nodes.c.beat + 1)
_TELL = (
    update(verifier_nodes).where(_its).values(epoch=bindparam("the_epoch"), seq=_seq, reached=bindparam("the_reached"))
)
_CLOSE = update(verifier_nodes).where(_its).values(is_closed=1)
_WANT = (
    update(verifier_nodes)
    .where(verifier_nodes.c.node_id != bindparam("the_node"), verifier_nodes.c.wanted < _seq)
    .values(wanted=_seq)
)
_FORGET = delete(verifier_nodes).where(_its, verifier_nodes.c.beat == bindparam("the_beat", type_=BigInteger))
_LEAVE = delete(verifier_nodes).where(_its)


@dataclass(frozen=True, slots=True)
class ToldNode:
    """
    A node as it stands in the table.

    Args:
        beat: grows while the node lives.
        is_closed: it has ended, and answers nobody any more; the verifiers that it has answered may live.
        wanted: the newest event of which it is asked how far it has come.
        bound_s: a verifier that it has not answered for so long accepts nothing.
    """

    node_id: str
    beat: int
    is_closed: bool
    wanted: int
    bound_s: int
    report: Report


async def everyone(reader: Reader) -> list[ToldNode]:
    """Return every node that answers verifiers, or has ended a while ago."""
    return [
        ToldNode(
            row["node_id"],
            row["beat"],
            bool(row["is_closed"]),
            row["wanted"],
            row["bound"],
            Report(row["epoch"], _END if row["is_closed"] else row["seq"], _from_text(row["reached"])),
        )
        for row in await reader.many(_ALL)
    ]


async def wanted(reader: Reader, node_id: str) -> int:
    """Return the newest event of which another node wants to know how far it has come; 0 for none."""
    row = await reader.one(_WANTED, the_node=node_id)
    return row["wanted"] if row else 0


async def appear(tx: Transaction, node_id: str, bound_s: int) -> None:
    """Tell every node that this one answers verifiers, which believe it for less than *bound_s* seconds."""
    unsaid = {"epoch": "", "seq": 0, "reached": "{}"}
    await tx.run(_APPEAR, node_id=node_id, beat=0, is_closed=0, wanted=0, bound=bound_s, **unsaid)


async def beat(tx: Transaction, node_id: str) -> bool:
    """Show that the node lives; False if it is not in the table."""
    return await tx.run(_BEAT, the_node=node_id) == 1


async def tell(tx: Transaction, node_id: str, report: Report) -> None:
    """Replace a node's last report by this one."""
    values = {"the_epoch": report.epoch, "the_seq": report.seq, "the_reached": _as_text(report.reached)}
    await tx.run(_TELL, the_node=node_id, **values)


async def close(tx: Transaction, node_id: str, report: Report) -> None:
    """Keep the last report of a node that answers no verifier any more."""
    await tell(tx, node_id, report)
    await tx.run(_CLOSE, the_node=node_id)


async def want(tx: Transaction, node_id: str, seq: int) -> None:
    """Ask every node but this one how far the event *seq* has come."""
    await tx.run(_WANT, the_node=node_id, the_seq=seq)


async def forget(tx: Transaction, node: ToldNode) -> None:
    """Delete the row of a node that has not changed for long, unless it has changed meanwhile."""
    await tx.run(_FORGET, the_node=node.node_id, the_beat=node.beat)


async def leave(tx: Transaction, node_id: str) -> None:
    """Take away a node whose verifiers have all gone."""
    await tx.run(_LEAVE, the_node=node_id)


def _as_text(reached: Mapping[Verifier, int]) -> str:
    by_api: dict[str, dict[str, int]] = {}
    for (api, instance), seq in sorted(reached.items()):
        by_api.setdefault(api, {})[instance] = seq
    return json.dumps(by_api)


def _from_text(text: str) -> dict[Verifier, int]:
    return {(api, instance): seq for api, its in json.loads(text).items() for instance, seq in its.items()}
