"""A telephone number is kept the way its owner writes it, or refused."""

import pytest

from keybearer.server.refusals import Refusal
from keybearer.server.rules.telephones import clean_telephone


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        pytest.param("+44 131 496 0000", "+44 131 496 0000", id="international"),
        pytest.param("(0131) 496-0000", "(0131) 496-0000", id="national"),
        pytest.param("  112 ", "112", id="the fewest digits, trimmed"),
        pytest.param("+123456789012345", "+123456789012345", id="the most digits"),
    ],
)
def test_a_number_is_kept_as_its_owner_writes_it(typed: str, kept: str) -> None:
    assert clean_telephone(typed) == kept


@pytest.mark.parametrize(
    "typed",
    [
        pytest.param("", id="empty"),
        pytest.param("11", id="too few digits"),
        pytest.param("1234567890123456", id="too many digits"),
        pytest.param("1" + " " * 39 + "23", id="too many characters"),
        pytest.param("call me", id="words"),
        pytest.param("\u0661\u0661\u0662", id="another script's digits"),
        pytest.param("112\n", id="a line end"),
        pytest.param("1+12", id="a plus in the middle"),
        pytest.param("112\x00", id="a NUL"),
    ],
)
def test_anything_else_is_refused(typed: str) -> None:
    with pytest.raises(Refusal) as refused:
        clean_telephone(typed)
    assert (refused.value.code, refused.value.field) == ("invalid", "telephone")
