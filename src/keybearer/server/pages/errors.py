"""The page that says what went wrong and what to do."""

from html import escape

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from keybearer.server.http.edge import request_id
from keybearer.server.http.errors import retry_headers, status_of
from keybearer.server.refusals import Refusal


async def error_page(request: Request, refusal: Refusal) -> Response:
    """Return the page for a refusal, with the request id to quote and nothing of the inside."""
    body = f"<!doctype html><title>Error</title><p>{escape(refusal.public)}</p><p>{escape(request_id(request))}</p>"
    return HTMLResponse(body, status_of(refusal), retry_headers(refusal))
