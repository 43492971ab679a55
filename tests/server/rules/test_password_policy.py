"""Which passwords may be chosen."""

import pytest

from keybearer.server.refusals import Refusal
from keybearer.server.rules.password_policy import check_password

KNOWN = ("ann.miller@example.com", "Ann Miller", "Keybearer")


@pytest.mark.parametrize(
    "password",
    [
        pytest.param("correct horse battery staple", id="words"),
        pytest.param("zK4.vQ9-xT2_mB7", id="exactly 15 characters"),
        pytest.param("ein längerer Satz über Äpfel", id="beyond ASCII"),
        pytest.param("🦊🐢🦉🐝🐙 five animals", id="emoji"),
        pytest.param("x7" * 3 + "amber kettle " * 19, id="253 characters"),
    ],
)
def test_a_long_password_that_nobody_guesses_is_accepted(password: str) -> None:
    check_password(password, KNOWN)


@pytest.mark.parametrize(
    ("password", "said"),
    [
        pytest.param("", "too short", id="empty"),
        pytest.param("zK4.vQ9-xT2_mB", "too short", id="14 characters"),
        pytest.param("a\u0308" * 14, "too short", id="14 characters, each typed as two"),
        pytest.param("zK4.vQ9-" * 33, "too long", id="264 characters"),
        pytest.param("aaaaaaaaaaaaaaaaaaaa", "easy to guess", id="one character"),
        pytest.param("123456789012345", "easy to guess", id="digits in order"),
        pytest.param("PasswordPassword1!", "easy to guess", id="the word itself"),
        pytest.param("ann.miller@example.com", "easy to guess", id="one's address"),
        pytest.param("AnnMiller12345!", "easy to guess", id="one's name"),
        pytest.param("keybearer-keybearer", "easy to guess", id="the product's name"),
        pytest.param("qwertyuiopasdfghjkl", "easy to guess", id="the keyboard"),
    ],
)
def test_others_are_refused_with_what_to_do(password: str, said: str) -> None:
    with pytest.raises(Refusal, match=said) as refused:
        check_password(password, KNOWN, "new_password")
    assert refused.value.field == "new_password"
