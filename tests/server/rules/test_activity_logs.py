"""A log's name says which log it is, and which part of it."""

import pytest

from keybearer.server.records import LogName
from keybearer.server.rules.activity_logs import TREE, named_by, origin_of


@pytest.mark.parametrize(
    "name",
    [LogName("team", 7, "2026-11"), LogName("user", 3, "2026-11"), LogName("server", 0, "2026-11"), TREE],
    ids=str,
)
@pytest.mark.parametrize("part", [1, 2, 13])
def test_a_name_is_read_as_it_is_written(name: LogName, part: int) -> None:
    for base in ("auth.example.com/activity", "[::1]:8000/activity"):
        assert named_by(origin_of(base, name, part)) == (name, part)
