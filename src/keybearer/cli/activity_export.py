"""A team's activity written on stdout, with progress on stderr."""

import sys
from collections.abc import Mapping

from keybearer.cli.lookup import find_team, find_user
from keybearer.cli.progress import Progress
from keybearer.cli.trouble import WRONG_USAGE, Trouble, trouble_of
from keybearer.cli.workplace import load_settings, look_into_database
from keybearer.server.http.activity_query import filter_of
from keybearer.server.http.forms import Form
from keybearer.server.numbers import number_in
from keybearer.server.reads.activity import Sight
from keybearer.server.reads.activity_export import activity_chunks
from keybearer.server.records import ActivityFilter
from keybearer.server.refusals import Refusal
from keybearer.server.store.database import Database


def write_export(team_text: str, form: str, filters: Mapping[str, str]) -> None:
    """
    Write what the filters find.

    Args:
        filters: as the API's query has them; ``user`` may be an address.

    Raises:
        Trouble: there is no such team or person, or a filter cannot be read.
    """

    async def work(database: Database) -> None:
        team = await find_team(database, team_text)
        given = dict(filters)
        if given.get("user") and number_in(given["user"]) is None:
            given["user"] = str((await find_user(database, given["user"])).user_id)
        wanted = _wanted(given, team.team_id)
        with Progress("exported") as progress:
            async for chunk in activity_chunks(database, Sight(team.team_id, None), wanted, form):
                sys.stdout.buffer.write(chunk.data)
                progress.advance(chunk.records)
        sys.stdout.buffer.flush()

    look_into_database(load_settings(), work)


def _wanted(given: Mapping[str, str], team_id: int) -> ActivityFilter:
    try:
        return filter_of(Form(tuple(given.items())), team_id)
    except Refusal as refusal:
        raise Trouble(str(trouble_of(refusal)), WRONG_USAGE) from None
