"""Looking up names for one team keeps no other team from having theirs looked up."""

import asyncio
from collections.abc import Sequence
from ipaddress import ip_address

from keybearer.server.records import Answer
from keybearer.server.webhooks.egress import Egress, Network
from keybearer.server.webhooks.names import AT_ONCE_OF_TEAM, Address
from tests.support.receiver import receiving

SOON_S = 0.3
TEAM, ANOTHER = 1, 2


async def test_names_for_which_nobody_answers_hold_up_those_of_their_own_team_alone() -> None:
    """A look-up goes on in the system after whoever asked has gone; so long it takes a place from its team."""
    asked: list[str] = []
    is_answered = asyncio.Event()

    async def resolve(host: str, _port: int) -> Sequence[Address]:
        asked.append(host)
        if host.endswith("slow.example"):
            await is_answered.wait()
        return [ip_address("127.0.0.1")]

    egress = Egress(Network(resolve), allows_private=True, patience_s=SOON_S)
    slow = [f"http://{number}.slow.example/" for number in range(50)]
    answers = await asyncio.gather(*(egress.post(TEAM, url, b"{}", {}) for url in slow))
    assert answers == [Answer(None, "timeout")] * 50
    async with receiving() as receiver:
        quick = f"http://hooks.example:{receiver.port}/"
        assert await egress.post(ANOTHER, quick, b"{}", {}) == Answer(204)
        assert await egress.post(TEAM, quick, b"{}", {}) == Answer(None, "timeout")
        assert len(asked) == AT_ONCE_OF_TEAM + 1
        is_answered.set()
        assert await egress.post(TEAM, quick, b"{}", {}) == Answer(204)
