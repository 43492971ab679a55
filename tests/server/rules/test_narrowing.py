"""An empty scope follows the role; a scope of words narrows; unknown words are named."""

from keybearer.server.roles import DEFAULT_PERMISSIONS, default_role_permissions
from keybearer.server.rules.narrowing import narrowing_of

NAMES = frozenset(DEFAULT_PERMISSIONS)


def test_no_scope_follows_the_role_by_a_word_of_its_own() -> None:
    assert narrowing_of("", NAMES) == ("none", "")


def test_only_spaces_are_no_scope() -> None:
    assert narrowing_of("  ", NAMES) == ("none", "")


def test_words_narrow_in_one_order() -> None:
    assert narrowing_of("team:read clients:read team:read", NAMES) == ("scope", "clients:read team:read")


def test_unknown_words_are_named() -> None:
    assert narrowing_of("team:read everything", NAMES) == frozenset({"everything"})


def test_a_member_may_all_but_manage_the_team_and_its_members() -> None:
    assert default_role_permissions(NAMES)["member"] == NAMES - {"team:manage", "members:manage"}


def test_a_reader_may_only_read() -> None:
    assert all(name.endswith(":read") for name in default_role_permissions(NAMES)["read-only"])


def test_support_may_what_an_owner_may() -> None:
    roles = default_role_permissions(NAMES)
    assert roles["assumed"] == roles["owner"] == NAMES
