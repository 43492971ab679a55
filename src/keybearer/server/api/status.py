"""``/status``: does my token work?"""

from starlette.responses import Response

from keybearer.server.api.endpoints import Call, Demand, Endpoint
from keybearer.server.http.answers import empty_answer


async def show_status(_: Call) -> Response:
    """Answer 204: whoever got here has a token that is accepted."""
    return empty_answer()


ENDPOINTS = (Endpoint("GET", "/status", Demand.AUTHENTICATED, show_status),)
