"""Some logs in which something happened, their exports, and what was saved of them."""

from functools import cache, cached_property

from tests.support.activity_logs import TEAM_7, TEAM_8, USER_3, Log, log

Lines = list[bytes]
TEAMS = {TEAM_7: 7, TEAM_8: 8, USER_3: None}


@cache
def happened(origin: str, count: int, seed: int = 1, status: int = 200) -> Log:
    """Make a log in which so much happened."""
    made = log(origin, seed=seed)
    made.happen(count, team=TEAMS[origin], status=status)
    return made


@cache
def exported(origin: str, count: int, seed: int = 1, status: int = 200) -> tuple[bytes, ...]:
    """Export such a log."""
    return tuple(happened(origin, count, seed, status).export())


class World:
    """The logs of two teams and a user, one of them told in part; and what was saved of them."""

    def __init__(self) -> None:
        self.logs = [happened(TEAM_7, 8), happened(TEAM_8, 6), happened(USER_3, 5)]

    @cached_property
    def parts(self) -> list[Lines]:
        """Each log's part of the export; the second one leaves records out."""
        whole, partly, mine = self.logs
        return [whole.export(), partly.export(tells=lambda index: index in {2, 5}, shown=[4]), mine.export()]

    @cached_property
    def saved(self) -> list[str]:
        """An earlier checkpoint of each log."""
        return [each.checkpoint(4) for each in self.logs]

    def with_part(self, number: int, part: Lines) -> Lines:
        """Put the export together with another part in one log's place."""
        return [line for n, each in enumerate(self.parts) for line in (part if n == number else each)]
