"""E10, E11: every route says what it demands, and a token is nobody at the pages."""

import re
from typing import Any

import pytest
from starlette.routing import Route

from keybearer.server.api.endpoints import BASE, Demand
from keybearer.server.api.routes import ENDPOINTS
from keybearer.server.api.unserved import Unserved
from keybearer.server.http.bare_doors import BareDoor
from keybearer.server.http.hits import HitDoor
from keybearer.server.http.known_paths import KnownPaths
from keybearer.server.roles import DEFAULT_PERMISSIONS
from tests.support.api import set_stage
from tests.support.house import House

# What anybody may see. A route that is not here, and no endpoint of the API, must send strangers to sign in.
PUBLIC = re.compile(
    r"/llms\.txt|/static/\{name\}|/login|/logout|/healthz|/readyz|/docs(/.*)?|/oauth/(token|revoke|introspect)"
    r"|/activity(/log/\{kind\}(/\{owner\})?/\{month\})?/(checkpoint|tile/.*|proof/(inclusion|consistency))"
    r"|/verifier/(sync|fetch|activity|count)|/forward-auth|/\.well-known/[a-z-]+(/api/v2)?"
    r"|(/api/v2)?/openapi\.json|/settings/account/address(/(prove|withdraw))?"
)
CHANGES = {("PATCH", "/me"), ("PATCH", "/team"), ("DELETE", "/token")}


def routes(house: House) -> list[Route]:
    shortcut, *found = house.app.router.routes
    assert type(shortcut) is KnownPaths  # which is made of the routes behind it
    plain = {Route, BareDoor, HitDoor}
    unserved = [route for route in found if isinstance(route, Unserved)]
    assert len(unserved) == 1  # it has nothing to show
    assert all(
        type(route) in plain for route in found if route not in unserved
    )  # no mount, no websocket, nothing that hides a route
    return [route for route in found if isinstance(route, Route)]


def address(route: Route) -> str:
    return re.sub(r"\{\w+\}", "1", route.path)


def is_page(route: Route) -> bool:
    return not route.path.startswith(BASE) and not PUBLIC.fullmatch(route.path)


def test_e10_each_endpoint_demands_a_permission_that_exists_or_says_that_any_token_will_do() -> None:
    for endpoint in ENDPOINTS:
        assert isinstance(endpoint.demand, Demand) or endpoint.demand in DEFAULT_PERMISSIONS, endpoint.path
    assert {(each.method, each.path) for each in ENDPOINTS if each.method != "GET"} == CHANGES


async def test_e10_every_route_of_the_api_is_an_endpoint_and_refuses_strangers(house: House) -> None:
    program = house.program()
    declared = {BASE + endpoint.path for endpoint in ENDPOINTS}
    for route in routes(house):
        if not route.path.startswith(BASE) or PUBLIC.fullmatch(route.path):
            continue
        assert route.path in declared
        for method in route.methods or ():
            assert (await program.request(method, address(route))).status_code == 401, (method, route.path)
        for method in ("OPTIONS", "TRACE", "POST", "PROPFIND"):
            assert (await program.request(method, address(route))).status_code == 405, (method, route.path)


async def test_e10_a_narrowed_token_is_held_to_its_permission_at_every_route(house: House) -> None:
    stage = await set_stage(house)
    narrowed = await stage.personal(stage.ada, stage.acme, "clients:read")
    for endpoint in ENDPOINTS:
        path = BASE + endpoint.path.format(team_id=stage.acme.team_id, member_id=1)
        for method in ("GET", "HEAD") if endpoint.method == "GET" else (endpoint.method,):
            status = (await narrowed.request(method, path)).status_code
            is_enough = endpoint.demand is Demand.AUTHENTICATED
            assert (status != 403) is is_enough, (method, path, status)
            if endpoint.path == "/token" and method == "DELETE":
                narrowed = await stage.personal(stage.ada, stage.acme, "clients:read")


@pytest.mark.parametrize("header", ["stranger", "bearer"])
async def test_e11_a_token_is_nobody_at_the_pages(house: House, header: str) -> None:
    stage = await set_stage(house)
    token = await stage.scene.personal_token(stage.ada, stage.acme)
    client = house.api(token) if header == "bearer" else house.program()
    same: dict[str, Any] = {"headers": {"sec-fetch-site": "same-origin"}}
    pages = [route for route in routes(house) if is_page(route)]
    assert {"/settings/tokens/new", "/settings/clients/new", "/oauth/authorize"} <= {page.path for page in pages}
    for page in pages:
        for method in page.methods or ():
            sent = {"data": {"name": "x", "email": "eve@example.com", "decision": "allow", "confirm": "yes"}} | same
            answer = await client.request(method, address(page), **(sent if method == "POST" else same))
            place = answer.headers.get("location", "") if answer.status_code == 303 else ""
            is_sent_on = place.startswith("/login") or place in {each.path for each in pages}  # which is tried itself
            assert is_sent_on or answer.status_code in {400, 403, 404, 422}, (method, page.path, answer.status_code)
            assert "Ada" not in answer.text
    assert (await house.api(token).get("/api/v2/me")).json()["email"] == "ada@example.com"
