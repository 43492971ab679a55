"""Checks a typed password: the attempt is counted first, and an unknown address takes the same time."""

from starlette.requests import Request

from keybearer.server.actions.count_attempt import count_attempt
from keybearer.server.actions.refuse_sign_in import refuse_sign_in
from keybearer.server.http.edge import actor_of, address_of
from keybearer.server.limits.neighbourhoods import neighbourhood
from keybearer.server.node import Node
from keybearer.server.pages.cookies import DEVICE, read_cookie
from keybearer.server.records import PasswordAttempt
from keybearer.server.refusals import Refusal


async def check_typed_password(request: Request, email: str, password: str) -> PasswordAttempt:
    """
    Return the attempt if the password is right; the action that follows forgets that it was counted.

    A password takes long to check, so of those who wait for it only some may come from one place, and places have their
    turns one after the other.

    Raises:
        Refusal: ``unauthenticated``: wrong password or unknown address, which look alike; ``too_many``: too early, or
            too many from there; ``unavailable``: too many from everywhere.
    """
    node: Node = request.app.state.node
    address = address_of(request)
    async with node.typed_passwords.place(address):
        attempt = await node.act(count_attempt, email, read_cookie(node, request, DEVICE), node.now())
        held = attempt.user.password_hash if attempt.user else None
        if await node.passwords.is_right(password, held, neighbourhood(address)):
            return attempt
    user_id = attempt.user.user_id if attempt.user else None
    await node.act(refuse_sign_in, actor_of(request, user_id=user_id), attempt, node.now())
    raise Refusal("unauthenticated", "The address or the password is wrong.", "wrong password or unknown address")
