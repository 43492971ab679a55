"""An API that verifies tokens is added, and gets its key."""

from dataclasses import dataclass

from keybearer.server import ledger, refusals, secrets
from keybearer.server.activities import Activity, Actor
from keybearer.server.issuing import Mint
from keybearer.server.records import ResourceServer
from keybearer.server.rules.names import MAX_CLIENT_NAME, clean_name, name_key
from keybearer.server.rules.operators import check_operator
from keybearer.server.store import resource_servers, users
from keybearer.server.store.database import Transaction
from keybearer.server.store.faults import Conflict
from keybearer.wire.token_text import ENVIRONMENTS


@dataclass(frozen=True, slots=True)
class AddedServer:
    """A new resource server and its key's text, which is kept nowhere."""

    resource_server: ResourceServer
    key: str


async def add_resource_server(
    tx: Transaction, actor: Actor, named: tuple[str, str], prefix: str, now: int
) -> AddedServer:
    """
    Add a resource server of one environment: it can verify the tokens of that one, and see nothing of the other.

    Whoever adds it must be an operator at that moment; the command line, which has no user, may.

    Args:
        named: name and environment, as typed and chosen.
        prefix: the provider's own, for the key's text.
        now: microseconds since 1970 UTC.

    Raises:
        Refusal: ``not_found``: who acts is no operator; ``invalid``: the name or the environment is wrong, or there is
            one of that name.
    """
    if actor.user_id is not None:
        check_operator(await users.by_user_id(tx, actor.user_id))
    name, environment = named
    name = clean_name(name, MAX_CLIENT_NAME)
    if environment not in ENVIRONMENTS:
        raise refusals.invalid("environment", "Choose the sandbox, or live.")
    key = Mint(prefix, environment).text("rsk")
    added = ResourceServer(secrets.record_id(now), name, environment, key[-4:], now, None, None)
    try:
        await resource_servers.add(tx, added, name_key(name), secrets.digest(key))
    except Conflict as conflict:
        raise refusals.invalid("name", "There is a resource server of that name. Choose another.") from conflict
    subject = f"resource_server:{added.resource_server_id}"
    created = Activity("resource_server.created", subject, environment=environment, token_last4=added.last4)
    await ledger.record(tx, actor, created, now)
    return AddedServer(added, key)
