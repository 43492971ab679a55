"""Reading the JSON body of a change: known properties only, each text or null where that is allowed."""

from dataclasses import dataclass
from typing import Any

from starlette.requests import Request

from keybearer.server import refusals
from keybearer.server.http.forms import SHOWN_NAME, read_json


@dataclass(frozen=True, slots=True)
class Property:
    """A property that a body may have."""

    name: str
    may_be_null: bool = False


async def read_change(request: Request, known: tuple[Property, ...]) -> dict[str, str | None]:
    """
    Return the properties that the body names, at least one.

    Raises:
        Refusal: ``invalid``: no property at all, one that is not *known*, or one of another type; all are named.
    """
    body = await read_json(request)
    if not body:
        raise refusals.invalid("", "At least one property is required", "no property")
    by_name = {each.name: each for each in known}
    wrong = [
        refusals.invalid(_as_field(name), problem)
        for name, value in body.items()
        if (problem := _problem(by_name.get(name), value))
    ]
    if wrong:
        raise refusals.all_invalid(wrong)
    return body


def _as_field(name: str) -> str:
    """Return a property's name as the answer may hold it: not endless, and no halves of surrogate pairs."""
    return name[:SHOWN_NAME].encode("utf-8", "replace").decode()


def _problem(known: Property | None, value: Any) -> str:
    """Return what is wrong with a property; '' for nothing."""
    if known is None:
        return "This property cannot be changed here."
    if isinstance(value, str) or (value is None and known.may_be_null):
        return ""
    return "This must be text or null." if known.may_be_null else "This must be text."
