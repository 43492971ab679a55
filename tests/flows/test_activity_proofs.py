"""Whoever may read a log can prove what is in it, with nothing but its public key; nobody else is told a hash of it."""

import base64

import pytest
from sqlalchemy import select

from keybearer.audit.trust import is_signed
from keybearer.server.store.tables import activity_records
from keybearer.wire.checkpoint import Checkpoint, key_from, opened
from keybearer.wire.merkle import leaf_hash, root_of, verify_consistency, verify_inclusion
from tests.support.api import Stage
from tests.support.happenings import seal_all
from tests.support.house import House
from tests.support.reports import Reporting, reporting


@pytest.fixture
async def api(stage: Stage) -> Reporting:
    """Have three of Ada's calls in Acme, which she owns, in the signed log."""
    made = await reporting(stage)
    await made.report(made.lines(1, 2, 3))
    await seal_all(made.house.node)
    return made


def of_team(api: Reporting) -> str:
    return f"/activity/log/team/{api.token.team_id}/2026-11"


async def checkpoint(house: House, path: str) -> Checkpoint:
    """Get a checkpoint as a stranger does, and check its signature."""
    answer = await house.program().get(path + "/checkpoint")
    assert answer.status_code == 200, answer.text
    key = key_from(house.node.sealer.verifier_key)
    origin = "keybearer.test/activity" + path.removeprefix("/activity").removeprefix("/log")
    return opened(answer.text, key.named(origin), is_signed)


def hashes(body: dict[str, list[str]]) -> list[bytes]:
    return [base64.b64decode(each) for each in body["hashes"]]


async def test_an_owner_proves_a_record_and_that_the_log_only_grew(api: Reporting, stage: Stage) -> None:
    before = await checkpoint(stage.house, of_team(api))
    await api.report(api.lines(4, 5))
    await seal_all(api.house.node)
    after = await checkpoint(stage.house, of_team(api))
    assert (before.size < after.size, after.origin) == (True, before.origin)
    ada = await stage.personal(stage.ada, stage.acme)
    sizes = {"from": before.size, "to": after.size}
    grown = await ada.get(of_team(api) + "/proof/consistency", params=sizes)
    verify_consistency((before.size, before.root), (after.size, after.root), hashes(grown.json()))
    rows = await stage.house.node.database.many(select(activity_records).where(activity_records.c.n == 2))
    index, leaf = rows[0]["log_index"], leaf_hash(bytes(rows[0]["entry"]))
    proof = await ada.get(of_team(api) + "/proof/inclusion", params={"index": index, "size": after.size})
    verify_inclusion(leaf, index, after.size, hashes(proof.json()), after.root)


async def test_tiles_are_those_of_c2sp(api: Reporting, stage: Stage) -> None:
    signed = await checkpoint(stage.house, of_team(api))
    ada = await stage.personal(stage.ada, stage.acme)
    answer = await ada.get(f"{of_team(api)}/tile/0/000.p/{signed.size}")
    leaves = [answer.content[at : at + 32] for at in range(0, len(answer.content), 32)]
    assert root_of(leaves) == signed.root
    for other in ("000", f"000.p/{signed.size + 1}", "001.p/1", "000.p/0", "0.p/1", "x000.p/1"):
        assert (await ada.get(f"{of_team(api)}/tile/0/{other}")).status_code == 404, other
    assert (await ada.get(f"{of_team(api)}/tile/1/000.p/1")).status_code == 404


async def test_the_tree_over_all_logs_has_each_checkpoint(api: Reporting, stage: Stage) -> None:
    tree = await checkpoint(stage.house, "/activity")
    team = await checkpoint(stage.house, of_team(api))
    answer = await stage.house.program().get(f"/activity/tile/0/000.p/{tree.size}")
    leaves = [answer.content[at : at + 32] for at in range(0, len(answer.content), 32)]
    index = leaves.index(leaf_hash(team.text.encode()))
    proof = await stage.house.program().get("/activity/proof/inclusion", params={"index": index, "size": tree.size})
    verify_inclusion(leaves[index], index, tree.size, hashes(proof.json()), tree.root)


@pytest.mark.parametrize(
    "end", ["/tile/0/000.p/1", "/proof/inclusion?index=0&size=1", "/proof/consistency?from=1&to=1"]
)
async def test_hashes_of_a_team_are_for_its_owners(api: Reporting, stage: Stage, end: str) -> None:
    path = of_team(api) + end
    assert (await stage.house.program().get(path)).status_code == 401
    ada = await stage.personal(stage.ada, stage.acme)
    assert (await ada.get(path)).status_code == 200
    assert (await ada.get(path.replace(f"team/{api.token.team_id}", "team/987"))).status_code == 404
    bob = await stage.personal(stage.cleo, stage.acme)
    assert (await bob.get(path)).status_code == 404


async def test_what_is_of_a_person_is_for_that_person(api: Reporting, stage: Stage) -> None:
    await stage.at_browser(stage.ada)
    await seal_all(api.house.node)
    path = f"/activity/log/user/{stage.ada.user_id}/2026-11/checkpoint"
    assert (await stage.house.program().get(path)).status_code == 401
    assert (await (await stage.personal(stage.ada, stage.acme)).get(path)).status_code == 200
    assert (await (await stage.personal(stage.cleo, stage.acme)).get(path)).status_code == 404


@pytest.mark.parametrize(
    ("end", "status"),
    [
        ("/proof/inclusion?index=3&size=3", 400),
        ("/proof/inclusion?index=0&size=99999", 400),
        ("/proof/inclusion?index=x&size=3", 400),
        ("/proof/inclusion?size=3", 400),
        ("/proof/consistency?from=3&to=2", 400),
        ("/tile/9/000", 404),
        ("/tile/0/x", 404),
        pytest.param(f"/tile/0/{'x999/' * 2_000}999", 404, id="a tile of more digits than Python turns into a number"),
    ],
)
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_what_cannot_be_proved_is_refused(api: Reporting, end: str, status: int) -> None:
    answer = await api.house.program().get("/activity" + end)
    assert answer.status_code == status, answer.text


async def test_nothing_is_told_of_a_log_that_is_not_there(house: House) -> None:
    for path in ("/activity/log/team/1/1999-01/checkpoint", "/activity/log/nothing/1999-01/checkpoint"):
        assert (await house.program().get(path)).status_code in {401, 404}
