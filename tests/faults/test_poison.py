"""F22, F24: events that nobody can read, or that a newer node wrote, hold up neither the feed nor anybody behind it."""

from typing import Final

from keybearer.server.rules.sync_answer import FeedView, sync_answer
from keybearer.verify.lease import Heard
from keybearer.wire.feed import NO_HASH, Position, SyncQuestion
from tests.server.store.trial import execute
from tests.support.oauth import Play
from tests.support.verifiers import asking
from tests.verify.tokens import EPOCH, chained

_INSERT: Final = "INSERT INTO feed_pending (kind, subject, at) VALUES "

ANYWHERE: Final = {
    "of a kind from the future": "('wombat.moved', 'wombat:1', 1)",
    "blank": "('', '', 0)",
    "with parts left blank": "('token.ended', 'token::::', 1)",
    "with a number that is none": "('user.changed', 'user:one', 1)",
    "of one megabyte": "('user.changed', {megabyte}, 1)",
    "in a time before all times": "('user.changed', 'user:1', -9223372036854775808)",
    "with a new line in it": "('user.changed\nuser:2', 'user:1\n5', 1)",
}
# SQLite keeps in a column what it is given, whatever the column is meant for.
ON_SQLITE: Final = {
    "of bytes": "(x'00ff', x'ff', 1)",
    "of text that is none": "(CAST(x'ff' AS TEXT), CAST(x'c328' AS TEXT), 1)",
    "in a time that is a word": "('user.changed', 'user:1', 'yesterday')",
    "in the middle of a microsecond": "('user.changed', 'user:1', 1.5)",
}


def poison(play: Play) -> dict[str, str]:
    is_sqlite = play.house.settings.store_url.startswith("sqlite")
    megabyte = "hex(zeroblob(500000))" if is_sqlite else "repeat('0', 1000000)"
    return {name: row.format(megabyte=megabyte) for name, row in (ANYWHERE | (ON_SQLITE if is_sqlite else {})).items()}


async def test_no_poison_holds_up_the_feed(play: Play) -> None:
    verifier = await asking(play.house)
    good, doomed = [await play.scene.personal_token(play.ada, play.acme) for _ in range(2)]
    assert await verifier.sync() is Heard.RENEWED
    for name, row in poison(play).items():
        await execute(play.house.settings.store_url, _INSERT + row)
        assert await play.status(good) == 204, name
        assert await verifier.sync() is Heard.RENEWED, name
        assert (await verifier.fetch(good))["denied"] is None, name
    before = verifier.lease.position.seq
    assert (await play.house.api(doomed).delete("/api/v2/token")).status_code == 204
    assert await verifier.sync() is Heard.RENEWED
    assert verifier.lease.position.seq == before + 1
    assert [await play.status(text) for text in (good, doomed)] == [204, 401]


async def test_much_poison_at_once_is_no_answer_too_large_to_be_taken(play: Play) -> None:
    verifier = await asking(play.house)
    assert await verifier.sync() is Heard.RENEWED
    row = poison(play)["of one megabyte"]
    await execute(play.house.settings.store_url, *[_INSERT + row] * 8)
    answer = await verifier.post("/verifier/sync", verifier.question())
    assert answer.status_code == 200
    assert len(answer.content) < 100_000


def test_an_event_too_long_for_any_subject_is_a_reset() -> None:
    events = chained([("user.changed", "user:1"), ("user.changed", "user:" + "1" * 2_000)])
    view = FeedView(Position(EPOCH, 2, events[-1].hash), 1, None, events)
    assert sync_answer(SyncQuestion("n", Position(EPOCH, 0, NO_HASH)), view, 0.0).is_reset
