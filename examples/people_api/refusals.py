"""Refusals as Keybearer's own API words them: by the property that is wrong, or as one sentence."""

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException


def answer_refusals(app: FastAPI) -> None:
    """Make *app* answer 404 and 422 in this form."""
    app.add_exception_handler(HTTPException, _as_sentence)
    app.add_exception_handler(RequestValidationError, _by_property)


async def _as_sentence(_: Request, refusal: Exception) -> JSONResponse:
    assert isinstance(refusal, HTTPException)
    return JSONResponse({"message": refusal.detail}, refusal.status_code, refusal.headers)


async def _by_property(_: Request, refusal: Exception) -> JSONResponse:
    assert isinstance(refusal, RequestValidationError)
    sentences: dict[str, list[str]] = {}
    for error in refusal.errors():
        _, *steps = error["loc"]  # the first is where it stood: body, path, query
        path = "" if error["type"] == "json_invalid" else ".".join(map(str, steps))
        sentences.setdefault(path or "errors", []).append(error["msg"].removeprefix("Value error, "))
    return JSONResponse(sentences, 422)
