"""The API's description is written by hand, and names exactly the endpoints that there are."""

import re

from keybearer.server.api.endpoints import BASE
from keybearer.server.api.routes import ENDPOINTS
from keybearer.server.http.description import description
from tests.support.house import House

METHODS = {"get", "post", "put", "patch", "delete"}


def described() -> set[tuple[str, str]]:
    paths = description("https://auth.example")["paths"]
    return {(method.upper(), path) for path, methods in paths.items() for method in METHODS & methods.keys()}


def test_every_endpoint_is_described_and_every_description_has_its_endpoint() -> None:
    there_is = {(endpoint.method, BASE + endpoint.path) for endpoint in ENDPOINTS}
    assert described() == there_is | {("GET", f"{BASE}/openapi.json")}


async def test_every_described_operation_has_its_door(house: House) -> None:
    doors = {
        (method, re.sub(r":\w+}", "}", route.path))
        for route in house.app.routes
        if hasattr(route, "path")
        for method in getattr(route, "methods", None) or ()
    }
    assert described() <= doors


async def test_the_description_is_served_with_this_servers_address(house: House) -> None:
    for path in ("/api/v2/openapi.json", "/openapi.json"):
        answer = await house.program().get(path)
        assert answer.json() == description(house.settings.issuer)
        assert answer.json()["servers"][0]["url"] == house.settings.issuer
