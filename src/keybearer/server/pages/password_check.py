"""Checking a password that was typed: counted first, the same work for an address that nobody has."""

from starlette.requests import Request

from keybearer.server.actions.count_attempt import count_attempt
from keybearer.server.actions.refuse_sign_in import refuse_sign_in
from keybearer.server.http.edge import actor_of
from keybearer.server.node import Node
from keybearer.server.pages.cookies import DEVICE, read_cookie
from keybearer.server.records import Knock
from keybearer.server.refusals import Refusal


async def check_typed_password(request: Request, email: str, password: str) -> Knock:
    """
    Return the knock of an address whose password this is; an action then opens and forgets the count.

    Raises:
        Refusal: ``unauthenticated``: wrong, or nobody's address, which nobody can tell apart; ``too_many``: not yet.
    """
    node: Node = request.app.state.node
    knock = await node.act(count_attempt, email, read_cookie(node, request, DEVICE), node.now())
    if await node.passwords.is_right(password, knock.user.password_hash if knock.user else None):
        return knock
    user_id = knock.user.user_id if knock.user else None
    await node.act(refuse_sign_in, actor_of(request, user_id=user_id), knock, node.now())
    raise Refusal("unauthenticated", "The address or the password is wrong.", "wrong password or unknown address")
