"""When the operator changes what a role may do, every verifier is told to forget what it believed."""

from pathlib import Path

from pydantic import SecretStr
from sqlalchemy import select

from keybearer.server import secrets
from keybearer.server.settings import Settings
from keybearer.server.store.tables import feed
from keybearer.wire.feed import EVERYTHING, reach_of
from tests.conftest import HOUSE
from tests.support.api import set_stage
from tests.support.clock import HandClock
from tests.support.house import House, open_house
from tests.support.verifiers import asking

POLICIES = select(feed.c.subject).where(feed.c.kind == "policy.changed").order_by(feed.c.seq)
OTHER_ROLES = {"member": {"permissions": ("team:read",)}}


async def told(house: House) -> list[str]:
    return [row["subject"] for row in await house.node.database.many(POLICIES)]


async def test_a_start_with_other_permissions_is_told_and_one_with_the_same_is_not(
    house: House, database_url: str, tmp_path: Path, clock: HandClock
) -> None:
    same = Settings(data_dir=tmp_path, database_url=SecretStr(database_url), issuer=HOUSE)
    other = same.model_copy(update={"roles": OTHER_ROLES})
    (first,) = await told(house)
    async with open_house(same, clock.now):
        assert await told(house) == [first]
    async with open_house(other, clock.now):
        first_again, second = await told(house)
        assert (first_again, second != first) == (first, True)
        assert reach_of(second) == EVERYTHING


async def test_a_node_that_runs_on_with_the_old_permissions_tells_them_to_no_verifier(
    house: House, database_url: str, tmp_path: Path, clock: HandClock
) -> None:
    stage = await set_stage(house)
    text = await stage.scene.personal_token(stage.ada, stage.acme)
    asked = {"nonce": "n", "instance": "instance-0001", "digest": secrets.digest(text).hex()}
    verifier = await asking(house)
    assert (await verifier.fetch(text))["fetched"] is not None
    other = Settings(data_dir=tmp_path, database_url=SecretStr(database_url), issuer=HOUSE, roles=OTHER_ROLES)
    async with open_house(other, clock.now) as newer:
        assert (await newer.api(verifier.key).post("/verifier/fetch", json=asked)).status_code == 200
    answer = await verifier.post("/verifier/fetch", asked)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")
