"""Asks a node over HTTP: JSON out, JSON in, with limits on time and size."""

import asyncio
import json
import ssl
from collections.abc import Sequence
from typing import Any, Final
from urllib.request import getproxies

import httpx2

from keybearer.sdk.driver import Call

_REDIRECT: Final = ": redirects are not followed, so give the address that it leads to"
_LIKELY: Final = {
    **dict.fromkeys((301, 302, 303, 307, 308), _REDIRECT),
    403: ": a Keybearer server never does, so something before it refuses the request",
    404: ": see that this is a Keybearer server's address, and that the server is not older than the SDK",
    407: ": the proxy of the environment wants to know who asks",
}
MAX_ANSWER_BYTES: Final = 4_000_000  # a page of a thousand events has a tenth of that


def is_direct() -> bool:
    """Tell whether nodes are reached without a proxy, as far as the environment says."""
    proxies = getproxies()
    return not any(proxies.get(scheme) for scheme in ("http", "https", "all"))


class Unanswered(Exception):
    """
    There is no answer that could be used.

    Args:
        is_silent: nobody spoke at all.
        is_unknown: the node does not know such questions; it is older than this SDK.
    """

    def __init__(self, why: str, *, is_silent: bool = False, is_unknown: bool = False) -> None:
        super().__init__(why)
        self.is_silent = is_silent
        self.is_unknown = is_unknown


class Transport:
    """
    A connection pool to the nodes.

    Args:
        key: the resource server's, sent with each question.
        trust: whose certificates are good.
        most_at_once: connections.
        transport: what carries the requests, for tests and for ways of one's own.
    """

    def __init__(
        self, key: str, trust: ssl.SSLContext, most_at_once: int, transport: httpx2.AsyncBaseTransport | None = None
    ) -> None:
        self._client = httpx2.AsyncClient(
            verify=trust,
            headers={"authorization": f"Bearer {key}", "accept": "application/json"},
            limits=httpx2.Limits(max_connections=most_at_once, max_keepalive_connections=most_at_once),
            timeout=None,
            transport=transport,
        )

    async def post(self, call: Call) -> dict[str, Any]:
        """
        Put a question to a node.

        Raises:
            Unanswered: there was no answer in time, or not one of a node.
        """
        return await self._asked(call.node, call.path, call.timeout_s, json=call.body)

    async def post_lines(self, node: str, path: str, lines: Sequence[bytes], timeout_s: float) -> dict[str, Any]:
        """
        Send JSON lines to a node.

        Raises:
            Unanswered: there was no answer in time, or not one of a node.
        """
        headers = {"content-type": "application/x-ndjson"}
        return await self._asked(node, path, timeout_s, content=b"\n".join(lines), headers=headers)

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def _asked(self, node: str, path: str, timeout_s: float, **request: Any) -> dict[str, Any]:
        try:
            async with asyncio.timeout(timeout_s):
                return await self._answer(node, path, request)
        except TimeoutError:
            raise Unanswered(f"{node} does not answer within {timeout_s:.1f} s", is_silent=True) from None
        except (httpx2.HTTPError, OSError) as error:
            way = "" if is_direct() else " (perhaps by the proxy that the environment names: see HTTPS_PROXY, NO_PROXY)"
            raise Unanswered(f"{node} cannot be reached{way}: {error!r}", is_silent=True) from error

    async def _answer(self, node: str, path: str, request: dict[str, Any]) -> dict[str, Any]:
        async with self._client.stream("POST", node + path, **request) as response:
            demand_success(node, response.status_code)
            text = bytearray()
            async for chunk in response.aiter_bytes():
                text += chunk
                if len(text) > MAX_ANSWER_BYTES:
                    raise Unanswered(f"{node} answers with more than {MAX_ANSWER_BYTES} bytes")
        return object_in(node, text)


def demand_success(node: str, status: int) -> None:
    """
    Let nothing pass but an answer to the question.

    Raises:
        Unanswered: the node says something else.
    """
    if status == 401:
        raise Unanswered(f"{node} does not accept the resource server's key: it is revoked, or another server's")
    if status != 200:
        raise Unanswered(f"{node} answers {status}{_LIKELY.get(status, '')}", is_unknown=status == 404)


def object_in(node: str, text: bytes | bytearray) -> dict[str, Any]:
    """
    Read the answer of a node.

    Raises:
        Unanswered: it is not a JSON object.
    """
    try:
        body = json.loads(text)
    except (ValueError, RecursionError):
        raise Unanswered(f"{node} answers with something that is not JSON") from None
    if not isinstance(body, dict):
        raise Unanswered(f"{node} answers with something that is not an object")
    return body
