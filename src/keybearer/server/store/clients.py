"""API clients, with their redirect URIs and secrets."""

from collections.abc import Sequence

from sqlalchemy import bindparam, delete, func, insert, select, update

from keybearer.server.records import Client, ClientSecret
from keybearer.server.store.database import Reader, Transaction
from keybearer.server.store.rows import as_row, total
from keybearer.server.store.tables import client_redirect_uris, client_secrets, clients

COLUMNS = [column for column in clients.c if column.name != "name_key"]

_BY_ID = select(*COLUMNS).where(clients.c.client_id == bindparam("client_id"), clients.c.deleted_at.is_(None))
_ADD = insert(clients)
_UPDATE = (
    update(clients)
    .where(clients.c.client_id == bindparam("the_client"), clients.c.deleted_at.is_(None))
    .values(name=bindparam("name"), name_key=bindparam("name_key"), pkce=bindparam("pkce"), updated_at=bindparam("now"))
)
_DELETE = (
    update(clients)
    .where(clients.c.client_id == bindparam("the_client"), clients.c.deleted_at.is_(None))
    .values(deleted_at=bindparam("now"), updated_at=bindparam("now"))
)
_URIS = (
    select(client_redirect_uris.c.uri)
    .where(client_redirect_uris.c.client_id == bindparam("client_id"))
    .order_by(client_redirect_uris.c.position)
)
_ADD_URI = insert(client_redirect_uris)
_FORGET_URIS = delete(client_redirect_uris).where(client_redirect_uris.c.client_id == bindparam("the_client"))
_SECRETS = (
    select(client_secrets)
    .where(client_secrets.c.client_id == bindparam("client_id"), client_secrets.c.expires_at > bindparam("now"))
    .order_by(client_secrets.c.created_at, client_secrets.c.secret_id)
)
_WITH_SECRETS = (
    select(*COLUMNS, client_secrets.c.digest.label("secret_digest"))
    .select_from(
        clients.outerjoin(
            client_secrets,
            (client_secrets.c.client_id == clients.c.client_id) & (client_secrets.c.expires_at > bindparam("now")),
        )
    )
    .where(clients.c.client_id.in_(bindparam("client_ids", expanding=True)), clients.c.deleted_at.is_(None))
)
_LOCK = _BY_ID.with_for_update(read=True)
_LOCK_TO_CHANGE = _BY_ID.with_for_update()
_TWIN = select(*COLUMNS).where(
    clients.c.twin_of == bindparam("client_id"),
    clients.c.team_id == bindparam("team_id"),
    clients.c.deleted_at.is_(None),
)
_COUNT = (
    select(func.count().label("total"))
    .select_from(clients)
    .where(clients.c.team_id == bindparam("team_id"), clients.c.deleted_at.is_(None))
)
_ADD_SECRET = insert(client_secrets)
_END_SECRETS = (
    update(client_secrets)
    .where(client_secrets.c.client_id == bindparam("the_client"), client_secrets.c.expires_at > bindparam("at"))
    .values(expires_at=bindparam("at"))
)


async def by_client_id(reader: Reader, client_id: str) -> Client | None:
    """Return the client of this id; None if there is none or it was deleted."""
    row = await reader.one(_BY_ID, client_id=client_id)
    return Client(**row) if row else None


async def lock(tx: Transaction, client_id: str) -> Client | None:
    """Return the client and let nobody delete it until this transaction ends."""
    row = await tx.one(_LOCK, client_id=client_id)
    return Client(**row) if row else None


async def with_secrets(reader: Reader, client_ids: Sequence[str], now: int) -> dict[str, tuple[Client, list[bytes]]]:
    """Return clients by id, each with the digests of the secrets that are accepted at *now*, in one look-up."""
    found: dict[str, tuple[Client, list[bytes]]] = {}
    for row in await reader.many(_WITH_SECRETS, client_ids=client_ids, now=now):
        columns = dict(row)
        digest = columns.pop("secret_digest")
        if row["client_id"] not in found:
            found[row["client_id"]] = (Client(**columns), [])
        if digest is not None:
            found[row["client_id"]][1].append(digest)
    return found


async def lock_to_change(tx: Transaction, client_id: str) -> Client | None:
    """Return the client unless it was deleted, and let nobody else change or use it until this transaction ends."""
    row = await tx.one(_LOCK_TO_CHANGE, client_id=client_id)
    return Client(**row) if row else None


async def twin_in(reader: Reader, client_id: str, team_id: int) -> Client | None:
    """Return the twin that this client has in the team; None if it has none there."""
    rows = await reader.many(_TWIN, client_id=client_id, team_id=team_id)
    return Client(**rows[0]) if rows else None


async def count_of_team(reader: Reader, team_id: int) -> int:
    """Return how many clients the team has."""
    return await total(reader, _COUNT, team_id=team_id)


async def add(tx: Transaction, client: Client, name_key: str) -> None:
    """
    Register a client.

    Args:
        name_key: the form in which two names are compared.

    Raises:
        Conflict: ``uq_clients_team_id_name_key``: the team has a client of that name.
    """
    await tx.run(_ADD, **as_row(client), name_key=name_key)


async def change(tx: Transaction, client_id: str, name: tuple[str, str], pkce: str, now: int) -> bool:
    """
    Change a client's name and its demand for PKCE; False if it is gone.

    Args:
        name: the name as shown, and the form in which it is compared.

    Raises:
        Conflict: ``uq_clients_team_id_name_key``: the team has another client of that name.
    """
    shown, key = name
    return await tx.run(_UPDATE, the_client=client_id, name=shown, name_key=key, pkce=pkce, now=now) == 1


async def remove(tx: Transaction, client_id: str, now: int) -> bool:
    """Delete the client; False if somebody was first."""
    return await tx.run(_DELETE, the_client=client_id, now=now) == 1


async def redirect_uris(reader: Reader, client_id: str) -> tuple[str, ...]:
    """Return the registered redirect URIs in the order in which they were given."""
    return tuple(row["uri"] for row in await reader.many(_URIS, client_id=client_id))


async def set_redirect_uris(tx: Transaction, client_id: str, uris: tuple[str, ...]) -> None:
    """Replace all redirect URIs by these."""
    await tx.run(_FORGET_URIS, the_client=client_id)
    for position, uri in enumerate(uris):
        await tx.run(_ADD_URI, client_id=client_id, position=position, uri=uri)


async def secrets_of(reader: Reader, client_id: str, now: int) -> list[ClientSecret]:
    """Return the secrets that are accepted at *now*, oldest first."""
    return [ClientSecret(**row) for row in await reader.many(_SECRETS, client_id=client_id, now=now)]


async def add_secret(tx: Transaction, secret: ClientSecret) -> None:
    """Keep another secret beside those that the client has."""
    await tx.run(_ADD_SECRET, **as_row(secret))


async def end_secrets(tx: Transaction, client_id: str, at: int) -> None:
    """End all present secrets of the client at *at*, except those that end sooner."""
    await tx.run(_END_SECRETS, the_client=client_id, at=at)
