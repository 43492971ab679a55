"""Names are kept as typed but for what nobody sees, and compared as people compare them."""

import pytest

from keybearer.server.refusals import Refusal
from keybearer.server.rules.names import MAX_TOKEN_NAME, clean_name, may_mislead, name_key
from keybearer.wire.token_text import compose


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        pytest.param("  CI job ", "CI job", id="blanks around it go"),
        pytest.param("Zoe\u0308", "Zo\u00eb", id="composed"),
        pytest.param("<b>&{{7*7}}", "<b>&{{7*7}}", id="markup is text like any other"),
        pytest.param("x" * 60, "x" * 60, id="60 characters"),
        pytest.param(
            "\u0646\u0627\u0645\u0647\u200c\u0647\u0627",
            "\u0646\u0627\u0645\u0647\u200c\u0647\u0627",
            id="a joiner inside a word",
        ),
    ],
)
def test_a_name_is_kept(typed: str, kept: str) -> None:
    assert clean_name(typed, 60) == kept


@pytest.mark.parametrize(
    ("typed", "because"),
    [
        pytest.param("", "Enter a name", id="empty"),
        pytest.param(" \t\n", "Enter a name", id="blanks"),
        pytest.param("\u200d\u200c", "Enter a name", id="joiners alone"),
        pytest.param("x" * 61, "too long", id="61 characters"),
        pytest.param("a\0b", "cannot be seen", id="NUL"),
        pytest.param("a\r\nb", "cannot be seen", id="line end"),
        pytest.param("a\u202eb", "cannot be seen", id="right-to-left override"),
        pytest.param("a\u2066b", "cannot be seen", id="isolate"),
        pytest.param("a\u200bb", "cannot be seen", id="zero-width space"),
        pytest.param("a\ud800b", "cannot be seen", id="half a surrogate pair"),
        pytest.param("a\u2028b", "cannot be seen", id="line separator"),
    ],
)
def test_a_name_is_refused(typed: str, because: str) -> None:
    with pytest.raises(Refusal, match=because) as refused:
        clean_name(typed, 60)
    assert (refused.value.code, refused.value.field) == ("invalid", "name")


@pytest.mark.parametrize(
    ("left", "right"),
    [("CI job", "ci JOB"), ("Straße", "STRASSE"), ("\uff23\uff29", "ci"), ("a  b", "a b"), ("a\u00a0b", "a b")],
)
def test_names_that_look_the_same_have_the_same_key(left: str, right: str) -> None:
    assert name_key(left) == name_key(right)


def test_a_secret_pasted_by_mistake_is_no_name() -> None:
    with pytest.raises(Refusal) as refused:
        clean_name(compose("kb", "pat", "live", "a" * 32), MAX_TOKEN_NAME)
    assert refused.value.public.startswith("This is a secret")


@pytest.mark.parametrize(
    ("name", "misleads"),
    [
        pytest.param("Ledger Sync", False, id="Latin"),
        pytest.param("\u0411\u0443\u0445\u0433\u0430\u043b\u0442\u0435\u0440\u0438\u044f", False, id="Cyrillic alone"),
        pytest.param("\u8fd9\u4e2a App", False, id="scripts that do not look alike"),
        pytest.param("L\u0435dger", True, id="one Cyrillic letter among Latin ones"),
        pytest.param("Led\u03b3er", True, id="one Greek letter among Latin ones"),
        pytest.param("Keybearer Security", True, id="the product's own name"),
        pytest.param(
            "\uff2b\uff25\uff39\uff22\uff25\uff21\uff32\uff25\uff32", True, id="the product's name, full width"
        ),
    ],
)
def test_a_name_that_could_be_taken_for_anothers_is_noticed(name: str, misleads: bool) -> None:
    assert may_mislead(name, "Keybearer") is misleads
