"""The names of people, tokens, apps and APIs in activity records, as far as the viewer may see them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from keybearer.server.reads.activity import Happening, Sight
from keybearer.server.store import activity_names
from keybearer.server.store.activity_names import NamedApp, NamedToken
from keybearer.server.store.database import Reader


@dataclass(frozen=True, slots=True)
class Names:
    """Names by id; an id that is not there has none that the viewer may know."""

    people: Mapping[int, str]
    tokens: Mapping[str, NamedToken]
    apps: Mapping[str, NamedApp]
    apis: Mapping[str, str]


async def offered_names(reader: Reader, sight: Sight) -> Names:
    """Return what the viewer can filter by: of each kind the first 200; people only for whoever sees what all did."""
    people = await activity_names.people(reader, sight.team_id) if sight.user_id is None else {}
    tokens = await activity_names.newest_tokens(reader, sight.team_id, sight.user_id)
    apps = await activity_names.apps(reader, sight.team_id)
    return Names(people, {token.token_id: token for token in tokens}, apps, {})


async def names_in(reader: Reader, sight: Sight, happenings: Iterable[Happening]) -> Names:
    """Return the names of all that these records speak of."""
    listed = list(happenings)
    users = {each.user_id for each in listed if each.user_id is not None}
    tokens = {each.token_id for each in listed if each.token_id is not None}
    apps = {each.client_id for each in listed if each.client_id is not None}
    reporters = {each.reporter for each in listed if each.reporter is not None}
    return Names(
        await activity_names.people(reader, sight.team_id, users),
        await activity_names.tokens_of(reader, sight.team_id, tokens),
        await activity_names.apps(reader, sight.team_id, apps),
        await activity_names.apis(reader, reporters),
    )
