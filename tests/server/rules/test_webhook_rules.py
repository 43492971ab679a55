"""Which URLs and events a webhook may have, when an event is sent again, and what its receiver can check."""

import pytest

from keybearer.server.activities import ACTIONS
from keybearer.server.refusals import Refusal
from keybearer.server.rules import webhook_url
from keybearer.server.rules.redelivery import Pace, is_taken, next_delay
from keybearer.server.rules.webhook_details import details_of
from keybearer.server.rules.webhook_events import CATEGORIES, EVENTS, PATTERNS, chosen_patterns, is_told
from keybearer.server.rules.webhook_signature import Attempt, signed_headers

MINUTE = 60_000_000


@pytest.mark.parametrize(
    ("url", "said"),
    [
        pytest.param("https://a.example/hooks?team=1&x=%20", None, id="a usual one"),
        pytest.param("https://a.example", None, id="without a path"),
        pytest.param("https://a.example:8443/", None, id="with a port"),
        pytest.param("https://93.184.215.14/", None, id="a public address"),
        pytest.param("https://[2606:2800:21f::1]/", None, id="a public IPv6 address"),
        pytest.param("", "Enter the URL", id="nothing"),
        pytest.param("https://a.example/" + "x" * 2_000, "too long", id="too long"),
        pytest.param("https://a.example/#x", "fragment", id="a fragment"),
        pytest.param("https://me:pw@a.example/", "user name", id="a user"),
        pytest.param("https://a.example@b.example/", "user name", id="a user that looks like a host"),
        pytest.param("https://a.example:443@127.0.0.1/", "user name", id="a user that looks like host and port"),
        pytest.param("http://a.example/", "not encrypted", id="http"),
        pytest.param("HTTPS://a.example/", "complete URL", id="upper case scheme"),
        pytest.param("https://A.example/", "complete URL", id="upper case host"),
        pytest.param("https:a.example", "complete URL", id="without slashes"),
        pytest.param("//a.example/", "complete URL", id="without a scheme"),
        pytest.param("ftp://a.example/", "complete URL", id="another scheme"),
        pytest.param("javascript:alert(1)", "complete URL", id="a script"),
        pytest.param("https://a.example\\@b.example/", "user name", id="a backslash and a user"),
        pytest.param("https://a.example\\.b.example/", "complete URL", id="a backslash"),
        pytest.param("https://a.example /", "complete URL", id="a blank"),
        pytest.param("https://a.example/\r\nx: y", "complete URL", id="line ends"),
        pytest.param("https://a.example/\0", "complete URL", id="NUL"),
        pytest.param("https://a.example:0/", "complete URL", id="port 0"),
        pytest.param("https://a.example:65536/", "complete URL", id="port 65536"),
        pytest.param("https://ä.example/", "complete URL", id="not ASCII"),
        pytest.param("https://a..example/", "complete URL", id="an empty label"),
        pytest.param("https://localhost./", "complete URL", id="a dot at the end"),
        pytest.param("https://2130706433/", "complete URL", id="an address as one number"),
        pytest.param("https://0x7f.1/", "complete URL", id="an address in hexadecimal"),
        pytest.param("https://0x7f000001/", "complete URL", id="an address as one hexadecimal number"),
        pytest.param("https://127.1/", "complete URL", id="a short address"),
        pytest.param("https://0177.0.0.1/", "complete URL", id="an address in octal"),
        pytest.param("https://[::1%25lo]/", "complete URL", id="an address with a zone"),
        pytest.param("https://localhost/", "private address", id="localhost"),
        pytest.param("https://hooks.localhost/", "private address", id="below localhost"),
        pytest.param("https://127.0.0.1/", "private address", id="loopback"),
        pytest.param("https://169.254.169.254/latest/meta-data", "private address", id="metadata"),
        pytest.param("https://[::ffff:10.0.0.1]/", "private address", id="mapped"),
    ],
)
def test_a_webhooks_url_is_public_https(url: str, said: str | None) -> None:
    found = webhook_url.problem(url, allows_private=False)
    assert (found is None) if said is None else (said in (found or ""))


@pytest.mark.parametrize(
    ("url", "is_fine"),
    [
        ("http://127.0.0.1:9000/", True),
        ("http://localhost/", True),
        ("http://receiver.internal/", True),
        ("https://10.0.0.1/", True),
        ("http://93.184.215.14/", False),
    ],
)
def test_where_private_addresses_are_allowed_http_is_for_them_alone(url: str, is_fine: bool) -> None:
    assert (webhook_url.problem(url, allows_private=True) is None) is is_fine


def test_everything_that_is_wrong_with_a_webhook_is_said_at_once() -> None:
    with pytest.raises(Refusal) as refused:
        details_of("nowhere", [], allows_private=False)
    assert [refused.value.field, *(other.field for other in refused.value.others)] == ["url", "events"]
    assert details_of(" https://a.example/ ", ["*"], allows_private=False) == ("https://a.example/", ("*",))


@pytest.mark.parametrize(
    ("asked", "kept"),
    [
        pytest.param(["*"], ("*",), id="everything"),
        pytest.param(["member.left", "*", "token.*"], ("*",), id="everything covers all"),
        pytest.param(
            ["token.created", "token.*", "grant.ended"], ("token.*", "grant.ended"), id="a category covers its"
        ),
        pytest.param(["grant.ended", "token.created"], ("token.created", "grant.ended"), id="in one order"),
        pytest.param([], None, id="nothing is not everything"),
        pytest.param(["user.*"], None, id="a category that is not told"),
        pytest.param(["webhook.created"], None, id="of webhooks themselves"),
        pytest.param(["token.*", ""], None, id="an empty name"),
        pytest.param(["tok*"], None, id="a wildcard in a name"),
        pytest.param(["*.created"], None, id="a wildcard in front"),
    ],
)
def test_the_events_that_are_chosen(asked: list[str], kept: tuple[str, ...] | None) -> None:
    assert chosen_patterns(asked) == kept


def test_each_event_is_told_to_its_name_its_category_and_everything() -> None:
    for event in EVENTS:
        heard = {pattern for pattern in PATTERNS if is_told([pattern], event)}
        assert heard == {event, f"{event.partition('.')[0]}.*", "*"}
    assert set(EVENTS) < set(ACTIONS)
    assert {event.partition(".")[0] for event in EVENTS} == set(CATEGORIES)


@pytest.mark.parametrize(
    ("status", "taken"),
    [(199, False), (200, True), (204, True), (299, True), (300, False), (500, False), (None, False)],
)
def test_only_2xx_takes_an_event(status: int | None, taken: bool) -> None:
    assert is_taken(status) is taken


def test_an_event_is_sent_again_after_1_2_10_and_15_minutes() -> None:
    waits = [next_delay(Pace.SCHEDULE, attempt) for attempt in range(1, 7)]
    assert waits == [MINUTE, 2 * MINUTE, 10 * MINUTE, 15 * MINUTE, None, None]
    assert next_delay(Pace.ONCE, 1) is None


def test_the_signatures_are_those_of_a_known_vector() -> None:
    # The example of the Standard Webhooks libraries; the reference's form by `openssl dgst -sha256 -hmac … -binary`.
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    attempt = Attempt("msg_p5jXN8AQM9LWM0D4loKWxJek", 3, 1_614_265_330_999_999)
    headers = signed_headers(attempt, b'{"test": 2432232314}', [secret])
    assert headers == {
        "x-keybearer-signature": "gOyKic480iEzoQZsrstNBP6nRnZXyFFNcX7ELDilyUw=",
        "x-keybearer-attempt": "3",
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }
