"""Class G at the sign-in: guesses, forged forms, poisoned headers, ways out of the house."""

import asyncio
import unicodedata
from collections import Counter
from collections.abc import Callable
from itertools import count
from urllib.parse import urlencode

import httpx2
import pytest
from argon2 import PasswordHasher
from markupsafe import escape

from keybearer.server.accounts.passwords import Passwords
from keybearer.server.store import users
from tests.attacks.typed_texts import AWAY
from tests.support.api import Stage
from tests.support.clock import HandClock
from tests.support.house import open_house
from tests.support.people import PASSWORD
from tests.support.residents import at_home

ADA = "ada@example.com"
FREE = 5  # wrong passwords that cost no time
CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
Counted = Callable[[], int]


@pytest.fixture
def argon2(monkeypatch: pytest.MonkeyPatch) -> Counted:
    """Count every Argon2, of checking and of hashing alike."""
    calls: list[str] = []
    verify, hash_ = PasswordHasher.verify, PasswordHasher.hash

    def counted_verify(self: PasswordHasher, held: str | bytes, password: str | bytes) -> bool:
        calls.append("verify")
        return verify(self, held, password)

    def counted_hash(self: PasswordHasher, password: str | bytes, *, salt: bytes | None = None) -> str:
        calls.append("hash")
        return hash_(self, password, salt=salt)

    monkeypatch.setattr(PasswordHasher, "verify", counted_verify)
    monkeypatch.setattr(PasswordHasher, "hash", counted_hash)
    return lambda: len(calls)


async def knock(
    program: httpx2.AsyncClient, email: str = ADA, password: str = "wrong wrong wrong", **more: str
) -> httpx2.Response:
    headers = {"sec-fetch-site": "same-origin", "content-type": "application/x-www-form-urlencoded"}
    body = urlencode({"email": email, "password": password} | more).encode()
    return await program.post("/login", content=body, headers=headers)


def is_signed_in(answer: httpx2.Response) -> bool:
    return "__Host-kb_session" in answer.cookies


async def test_g8_cookies_are_bound_to_the_host_unreadable_and_lax(stage: Stage) -> None:
    answer = await knock(stage.house.program(), password=PASSWORD)
    cookies = {line.partition("=")[0]: line.lower() for line in answer.headers.get_list("set-cookie")}
    assert set(cookies) == {"__Host-kb_session", "__Host-kb_device"}
    for line in cookies.values():
        flags = {part.strip() for part in line.split(";")[1:]}
        assert {"secure", "httponly", "samesite=lax", "path=/"} <= flags
        assert not any(flag.startswith("domain") for flag in flags)


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param({"sec-fetch-site": "cross-site"}, id="another site"),
        pytest.param({"sec-fetch-site": "same-site"}, id="a neighbour"),
        pytest.param({"sec-fetch-site": "cross-site", "origin": "https://keybearer.test"}, id="an origin like ours"),
        pytest.param({"origin": "https://evil.example"}, id="an old browser at another site"),
        pytest.param({"origin": "null"}, id="a sandboxed frame in an old browser"),
        pytest.param({"origin": "http://keybearer.test"}, id="our host without TLS"),
    ],
)
@pytest.mark.parametrize("path", ["/login", "/logout", "/settings/security/sessions/end-others", "/settings/account"])
async def test_g9_g19_a_form_of_another_site_is_403_and_does_nothing(
    stage: Stage, argon2: Counted, path: str, headers: dict[str, str]
) -> None:
    ada, other = await at_home(stage.house, stage.ada), await at_home(stage.house, stage.ada)
    before = argon2()
    body = urlencode({"email": ADA, "password": PASSWORD, "name": "Eve"}).encode()
    headers = headers | {"content-type": "application/x-www-form-urlencoded"}
    answer = await ada.browser.client.post(path, content=body, headers=headers)
    assert (answer.status_code, answer.headers.get_list("set-cookie"), argon2()) == (403, [], before)
    for person in (ada, other):
        page = await person.browser.get("/settings/account")
        assert ("name", "Ada") in page.button("Save name")[0].values


@pytest.mark.parametrize("path", ["/logout", "/settings/security/sessions/end-others", "/settings/security/password"])
async def test_g19_looking_at_it_ends_no_session(stage: Stage, path: str) -> None:
    ada, other = await at_home(stage.house, stage.ada), await at_home(stage.house, stage.ada)
    await ada.browser.get(path)
    for person in (ada, other):
        assert (await person.browser.get("/settings/security")).title.startswith("Security")


async def test_g10_next_goes_nowhere_but_here(stage: Stage) -> None:
    for wanted in AWAY:
        answer = await knock(stage.house.program(), password=PASSWORD, next=wanted)
        assert (answer.status_code, answer.headers["location"]) == (303, "/"), repr(wanted[:40])
    answer = await knock(stage.house.program(), password=PASSWORD, next="/oauth/authorize?state=%2F%2Fevil")
    assert answer.headers["location"] == "/oauth/authorize?state=%2F%2Fevil"


async def test_g10_nor_for_somebody_who_is_signed_in_already(stage: Stage) -> None:
    ada = await at_home(stage.house, stage.ada)
    for wanted in AWAY:
        answer = await ada.browser.client.get("/login", params={"next": wanted})
        assert (answer.status_code, answer.headers["location"]) == (303, "/"), repr(wanted[:40])


async def test_g11_an_unknown_address_gets_the_same_answer_for_the_same_work(stage: Stage, argon2: Counted) -> None:
    seen = []
    for email in (ADA, "nobody@example.com", "no address", "a\x00b", '"ada"@example.com'):
        before = argon2()
        answer = await knock(stage.house.program(), email)
        said = answer.text.replace(str(escape(email)), "")
        seen.append((answer.status_code, said, sorted(answer.headers), argon2() - before))
    assert seen == [(401, seen[0][1], seen[0][2], 1)] * len(seen)
    assert "The address or the password is wrong." in seen[0][1]


async def test_g11_an_unknown_address_is_made_to_wait_like_a_known_one(stage: Stage) -> None:
    answers = {}
    for email in (ADA, "nobody@example.com"):
        told = [await knock(stage.house.program(), email) for _ in range(FREE + 1)]
        answers[email] = [(one.status_code, one.headers.get("retry-after")) for one in told]
    assert answers[ADA] == answers["nobody@example.com"] == [(401, None)] * FREE + [(429, "2")]


async def test_g12_however_many_guesses_come_few_are_looked_at(stage: Stage, argon2: Counted) -> None:
    program = stage.house.program()
    statuses = [(await knock(program, email)).status_code for email in [ADA, "ADA@example.com", f" {ADA}. "] * 40]
    assert statuses == [401] * FREE + [429] * 115
    assert argon2() == FREE


async def test_g12_guesses_sent_at_once_are_all_counted(stage: Stage, argon2: Counted) -> None:
    program = stage.house.program()
    answers = await asyncio.gather(*(knock(program) for _ in range(20)))
    assert sorted(answer.status_code for answer in answers) == [401] * FREE + [429] * 15
    assert argon2() == FREE


async def test_g12_the_count_is_shared_between_nodes_and_outlives_them(stage: Stage, clock: HandClock) -> None:
    async with open_house(stage.house.settings, clock.now) as second:
        for node in (stage.house, second, stage.house, second, stage.house):
            assert (await knock(node.program())).status_code == 401
        assert (await knock(second.program(), password=PASSWORD)).status_code == 429
    async with open_house(stage.house.settings, clock.now) as third:
        assert (await knock(third.program(), password=PASSWORD)).status_code == 429
        clock.advance(seconds=2)
        assert is_signed_in(await knock(third.program(), password=PASSWORD))


async def test_g12_the_owner_gets_in_from_a_known_browser_and_tokens_go_on_working(stage: Stage) -> None:
    ada = await at_home(stage.house, stage.ada)
    api = await stage.personal(stage.ada, stage.acme)
    stranger = stage.house.program()
    for _ in range(30):
        await knock(stranger)
    assert (await knock(stranger, password=PASSWORD)).status_code == 429
    assert (await api.get("/api/v2/status")).status_code == 204
    assert is_signed_in(await knock(ada.browser.client, password=PASSWORD))
    for _ in range(FREE):
        assert (await knock(ada.browser.client)).status_code == 401
    assert (await knock(ada.browser.client)).status_code == 429, "a known browser is counted too"


async def test_g12_somebody_elses_known_browser_is_a_stranger(stage: Stage) -> None:
    bob = await at_home(stage.house, stage.bob)
    for _ in range(FREE):
        await knock(stage.house.program())
    assert (await knock(bob.browser.client)).status_code == 429


@pytest.mark.parametrize("header", ["X-Forwarded-For", "Forwarded", "X-Real-IP", "X-Client-IP", "CF-Connecting-IP"])
async def test_g13_another_address_in_a_header_does_not_reset_the_count(
    stage: Stage, argon2: Counted, header: str
) -> None:
    for number in range(FREE + 3):
        program = stage.house.program()
        program.headers[header] = f"for=192.0.2.{number}" if header == "Forwarded" else f"192.0.2.{number}"
        program.cookies.set("__Host-kb_device", f"made up {number}")
        assert (await knock(program)).status_code == (401 if number < FREE else 429)
    assert argon2() == FREE


async def test_g14_an_address_twice_is_400_and_no_password_is_looked_at(stage: Stage, argon2: Counted) -> None:
    headers = {"sec-fetch-site": "same-origin", "content-type": "application/x-www-form-urlencoded"}
    for body in (
        f"email={ADA}&email=bob@example.com&password={PASSWORD}",
        f"email={ADA}&password=x&password={PASSWORD}",
    ):
        answer = await stage.house.program().post("/login", content=body.replace(" ", "+").encode(), headers=headers)
        assert answer.status_code == 400
    assert argon2() == 0


@pytest.mark.parametrize(
    ("kept", "typed", "is_same"),
    [
        pytest.param("p" * 72 + "right", "p" * 72 + "wrong", False, id="they differ after 72 bytes"),
        pytest.param("before\0after and more", "before\0another thing", False, id="they differ after a NUL"),
        pytest.param("before\0after and more", "before\0after and more", True, id="a NUL inside"),
        pytest.param("\u00e9" * 20, "e\u0301" * 20, True, id="composed by another keyboard"),
        pytest.param("\ufb01" * 20, "fi" * 20, False, id="a ligature is no two letters"),
        pytest.param("trailing space here ", "trailing space here", False, id="a space at the end"),
        pytest.param("p" * 256, "p" * 256, True, id="256 characters"),
        pytest.param("p" * 256, "p" * 30_000, False, id="30,000 characters"),
        pytest.param("p" * 256, "e\u0301\u0316" * 3_000, False, id="marks to be put in order"),
    ],
)
async def test_g16_a_password_is_compared_whole(
    stage: Stage, argon2: Counted, kept: str, typed: str, is_same: bool
) -> None:
    held = CHEAP.hash(unicodedata.normalize("NFC", kept).encode())
    await stage.house.node.act(users.set_password, stage.ada.user_id, held, stage.house.node.now())
    before = argon2()
    assert is_signed_in(await knock(stage.house.program(), password=typed)) is is_same
    assert argon2() - before == 1


async def test_g16_a_megabyte_is_refused_before_any_work(stage: Stage, argon2: Counted) -> None:
    assert (await knock(stage.house.program(), password="p" * 1_000_000)).status_code == 413
    assert argon2() == 0


async def test_g12_one_place_that_floods_the_sign_in_leaves_turns_for_others(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two passwords are checked at once: whoever sent hundreds kept everybody else waiting for minutes."""
    house, gate = stage.house, asyncio.Event()

    async def slow(*_: object) -> bool:
        await gate.wait()
        return False

    monkeypatch.setattr(Passwords, "is_right", slow)

    async def knock(number: int) -> int:
        form = {"email": f"eve{number}@example.com", "password": "guess"}
        return (await house.program().post("/login", data=form)).status_code

    flood = [asyncio.create_task(knock(number)) for number in range(40)]
    told, _ = await asyncio.wait(flood, return_when=asyncio.FIRST_COMPLETED, timeout=10)
    assert {knocked.result() for knocked in told} == {429}
    gate.set()
    assert sorted(await asyncio.gather(*flood)) == [401] * 32 + [429] * 8


async def test_g12_some_places_that_flood_the_sign_in_together_leave_room_for_others(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Eight addresses held all 256 places, and nobody else was let wait."""
    house, gate, waiting, numbers = stage.house, asyncio.Event(), list[str](), count()

    async def slow(_: object, password: str, held: str | None, source: str = "") -> bool:
        del password, held
        waiting.append(source)
        await gate.wait()
        return False

    async def knock(address: str) -> int:
        transport = httpx2.ASGITransport(house.app, client=(address, 1))
        async with httpx2.AsyncClient(transport=transport, base_url=house.settings.issuer) as program:
            return (
                await program.post("/login", data={"email": f"{next(numbers)}@example.com", "password": "guess"})
            ).status_code

    async def settle() -> None:
        while len(waiting) + sum(each.done() for each in knocked) < len(knocked):  # noqa: ASYNC110
            await asyncio.sleep(0.01)

    monkeypatch.setattr(Passwords, "is_right", slow)
    flooding = [f"192.0.2.{number}" for number in range(8)]
    knocked = [asyncio.create_task(knock(address)) for _ in range(32) for address in flooding]
    await settle()
    others = [f"198.51.100.{number}" for number in range(20)]
    knocked += [asyncio.create_task(knock(address)) for address in others * 2]
    await settle()
    of_each = Counter(waiting)
    assert sum(of_each[address] for address in flooding) == 128
    assert [of_each[address] for address in others] == [1] * len(others)
    gate.set()
    assert Counter(await asyncio.gather(*knocked)) == {401: 128 + len(others), 429: 128 + len(others)}
