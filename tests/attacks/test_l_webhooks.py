"""L3, L5: a webhook leads nowhere inside, and what its secret is kept as tells nobody anything."""

import base64
import stat
from collections.abc import Sequence
from ipaddress import ip_address
from pathlib import Path

import pytest
from pydantic import SecretStr

from keybearer.server.settings import Settings
from keybearer.server.webhooks.egress import Network
from keybearer.server.webhooks.names import Address
from tests.attacks.test_l_logs import stored
from tests.support.clock import HandClock
from tests.support.house import open_house
from tests.support.oauth import set_play
from tests.support.people import Person
from tests.support.receiver import receiving
from tests.support.webhook_desk import HookDesk

INSIDE = (
    "https://127.0.0.1/",
    "https://169.254.169.254/latest",
    "https://[::1]/",
    "https://localhost/",
    "http://a.test/",
)


async def test_l5_neither_an_address_nor_a_name_leads_inside(
    database_url: str, tmp_path: Path, clock: HandClock
) -> None:
    asked = []

    async def resolve(host: str, _port: int) -> Sequence[Address]:
        asked.append(host)
        return [ip_address("127.0.0.1")]

    settings = Settings(data_dir=tmp_path, database_url=SecretStr(database_url), issuer="https://keybearer.test")
    async with receiving() as receiver, open_house(settings, clock.now, network=Network(resolve)) as house:
        play = await set_play(house)
        desk = HookDesk(play, Person("Ada", await play.browser(play.ada)), receiver, clock)
        for url in INSIDE:
            assert (await desk.try_to_add(url=url)).status == 422, url
        hook = await desk.add(["token.created"], f"https://rebound.test:{receiver.port}/hooks")
        assert asked == []
        await desk.ada.make_token("Nightly import")
        await desk.all_sent()
        page = await desk.ada.browser.get(hook.path)
        assert "The host's address is not public" in page.text
        assert (asked, receiver.connections) == (["rebound.test"], 0)


async def test_l3_the_database_alone_opens_no_secret_and_the_key_is_for_the_server_alone(
    desk: HookDesk, database_url: str, tmp_path: Path
) -> None:
    hook = await desk.add()
    rotated = (await desk.press(hook, "Rotate secret", overlap="1h")).shown["webhook-secret"]
    await desk.ada.make_token("Nightly import")
    await desk.all_sent()
    kept = await stored(database_url, tmp_path)
    for secret in (hook.secret, rotated):
        key = base64.b64decode(secret.removeprefix("whsec_"))
        assert not [form for form in (secret, key.hex(), key.decode("latin-1"), secret[6:]) if form in kept]
    file = tmp_path / "webhook-key"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert len(file.read_text().strip()) == 43
    assert file.read_text().strip() not in kept


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_f_one_webhooks_delivery_is_not_resent_by_way_of_another(desk: HookDesk) -> None:
    first, second = await desk.add(["token.created"]), await desk.add(["client.created"])
    await desk.ada.make_token("Nightly import")
    await desk.all_sent()
    (row,) = await desk.log()
    assert row["webhook_id"] == first.webhook_id
    for path in (second.path, f"{second.path}x"):
        resend = f"{path}/deliveries/{row['delivery_id']}/resend"
        page = await desk.ada.browser.post(resend, [("team", str(desk.play.acme.team_id))])
        assert page.status == 404
    assert len(desk.receiver.heard) == 1
