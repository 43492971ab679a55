"""Reading request bodies: urlencoded forms and JSON objects, with hard limits."""

import json
import math
import re
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import parse_qsl

from starlette.requests import Request

from keybearer.server import refusals

MAX_FIELDS: Final = 200
SHOWN_NAME: Final = 60  # characters of a name that is not known, where it is told
_MAX_JSON_DEPTH: Final = 20
_PARAMETER: Final = re.compile(r"[a-z_]{1,40}")  # no token and no secret is one


@dataclass(frozen=True, slots=True)
class Form:
    """The fields of a form or query, in order, repeated ones included."""

    pairs: tuple[tuple[str, str], ...]

    def all(self, name: str) -> list[str]:
        """Return every value of the field."""
        return [value for key, value in self.pairs if key == name]

    def maybe(self, name: str) -> str | None:
        """
        Return the field's only value; None if it is absent.

        Raises:
            Refusal: ``invalid_request``: the field is repeated (RFC 6749 §3.1, §3.2).
        """
        values = self.all(name)
        if len(values) > 1:
            raise _repeated(name)
        return values[0] if values else None

    def one(self, name: str) -> str:
        """
        Return the field's only value.

        Raises:
            Refusal: ``invalid_request``: the field is absent or repeated.
        """
        value = self.maybe(name)
        if value is None:
            raise refusals.invalid_request(f"The parameter {name} is missing. Send it in the form.", f"missing: {name}")
        return value

    def needed(self, name: str) -> str:
        """
        Return the field's only value, which must not be empty: for OAuth, to which that is as good as absent.

        Raises:
            Refusal: ``invalid_request``: the field is absent, empty or repeated (RFC 6749 §3.1, §3.2).
        """
        value = self.maybe(name)
        if not value:
            raise refusals.invalid_request(f"The parameter {name} is missing.", f"missing: {name}")
        return value

    def each_once(self) -> "Form":
        """
        Return the form itself, if no field is repeated.

        Raises:
            Refusal: ``invalid_request`` (RFC 6749 §3.1, §3.2).
        """
        for name in dict.fromkeys(name for name, _ in self.pairs):
            self.maybe(name)
        return self

    def text(self, name: str) -> str:
        """Return the field's first value, '' if it is absent: for pages, which show what was typed."""
        return next((value for key, value in self.pairs if key == name), "")

    def demand_only(self, *names: str) -> None:
        """
        Refuse a form that has any other field than these: no field is silently ignored.

        Raises:
            Refusal: ``invalid``; all unknown fields are named.
        """
        others = dict.fromkeys(name for name, _ in self.pairs if name not in names)
        if others:
            raise refusals.all_invalid([_unknown(name) for name in others])


def parse_fields(text: str) -> Form:
    """
    Take an urlencoded text apart (query or body).

    Raises:
        Refusal: ``invalid_request``: too many fields, or bytes that are no UTF-8.
    """
    try:
        pairs = parse_qsl(text, keep_blank_values=True, max_num_fields=MAX_FIELDS, encoding="utf-8", errors="strict")
    except ValueError as error:
        public = f"The form is malformed. Send at most {MAX_FIELDS} fields, percent-encoded as UTF-8."
        raise refusals.invalid_request(public, f"form: {error}") from error
    return Form(tuple(pairs))


def _repeated(name: str) -> refusals.Refusal:
    """
    Name what is repeated if it reads like a parameter: what somebody sends in the place of one may be anything.

    Source: RFC 6749 §5.2 (which characters a description may have).
    """
    if not _PARAMETER.fullmatch(name):
        return refusals.invalid_request("A parameter is repeated. Send each once.", "repeated: what is no parameter")
    return refusals.invalid_request(f"The parameter {name} is repeated. Send it once.", f"repeated: {name}")


def _unknown(name: str) -> refusals.Refusal:
    public = f"This form has no field “{name[:SHOWN_NAME]}”. Nothing was changed. Reload the page and send it again."
    return refusals.invalid("", public, "unknown field")


def query_of(request: Request) -> str:
    """
    Return the query as it was sent, without the question mark.

    Raises:
        Refusal: ``invalid_request``: bytes that no URL has (RFC 3986 §2).
    """
    try:
        query: str = request.scope.get("query_string", b"").decode("ascii")
    except UnicodeDecodeError as error:
        public = "The address is malformed. Percent-encode everything that is not ASCII."
        raise refusals.invalid_request(public, "query: not ASCII") from error
    return query


def read_query(request: Request) -> Form:
    """
    Read the query.

    Raises:
        Refusal: ``invalid_request``: it is malformed.
    """
    return parse_fields(query_of(request))


async def read_form(request: Request) -> Form:
    """
    Read the body as ``application/x-www-form-urlencoded``; an empty body is an empty form.

    Raises:
        Refusal: ``unsupported_media_type`` for any other content type; ``invalid_request`` for a malformed form.
    """
    body = await request.body()
    if not body:
        return Form(())
    demand_type(request, "application/x-www-form-urlencoded")
    try:
        return parse_fields(body.decode("ascii"))
    except UnicodeDecodeError as error:
        public = "The form is malformed. Percent-encode everything that is not ASCII."
        raise refusals.invalid_request(public, "form: not ASCII") from error


async def read_oauth_form(request: Request) -> Form:
    """
    Read the form of an OAuth request, each field of it once.

    Raises:
        Refusal: ``invalid_request``: also for parameters in the address, where logs and histories keep them.

    Source: RFC 6749 §2.3.1 (not in the URI), §3.2 (not more than once).
    """
    if query_of(request):
        public = "Send the parameters in the body, not in the address."
        raise refusals.invalid_request(public, "parameters in the query string")
    return (await read_form(request)).each_once()


async def read_json(request: Request) -> dict[str, Any]:
    """
    Read the body as one JSON object; an empty body is an empty object.

    Raises:
        Refusal: ``unsupported_media_type``; ``invalid_json`` for what is no JSON object, is nested too deeply, names
            a property twice or has half a character (RFC 7493 §2.1).
    """
    body = await request.body()
    if not body.strip():
        return {}
    demand_type(request, "application/json")
    public = "The body must be one JSON object, with each property once."
    try:
        if _depth(body) > _MAX_JSON_DEPTH:
            raise refusals.Refusal("invalid_json", public, "json: too deep")
        decoded = _STRICT.decode(body.decode("utf-8"))
        if b"\\u" in body:
            json.dumps(decoded, ensure_ascii=False).encode()  # fails for half a character, which no answer could repeat
    except ValueError as error:
        raise refusals.Refusal("invalid_json", public, f"json: {error}") from error
    if not isinstance(decoded, dict):
        raise refusals.Refusal("invalid_json", public, "json: not an object")
    return decoded


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Refuse an object that names a property twice: two readers of it would see two different ones."""
    made = dict(pairs)
    if len(made) != len(pairs):
        raise ValueError("a property is named twice")
    return made


def _finite(text: str) -> float:
    """Refuse NaN, Infinity and what overflows to it."""
    number = float(text)
    if not math.isfinite(number):
        raise ValueError("a number is not finite")
    return number


_STRICT: Final = json.JSONDecoder(object_pairs_hook=_each_once, parse_constant=_finite, parse_float=_finite)


def demand_type(request: Request, wanted: str) -> None:
    """Refuse any other content type than *wanted*."""
    content_type = request.headers.get("content-type", "").split(";")[0].strip().lower()
    if content_type != wanted:
        public = f"The content type must be {wanted}."
        raise refusals.Refusal("unsupported_media_type", public, f"content type is not {wanted}")


def _depth(body: bytes) -> int:
    """Return an upper bound of the nesting; brackets inside strings count, but no valid body has twenty of them."""
    opened = body.count(b"[") + body.count(b"{")
    if opened <= _MAX_JSON_DEPTH:
        return opened
    depth = deepest = 0
    for byte in body:
        if byte in b"[{":
            depth += 1
            deepest = max(deepest, depth)
        elif byte in b"]}":
            depth -= 1
    return deepest
