"""Bodies are read strictly: one content type, a bounded number of fields, each parameter once, shallow JSON."""

import pytest
from starlette.requests import Request
from starlette.types import Message

from keybearer.server.http.forms import MAX_FIELDS, Form, parse_fields, read_form, read_json
from keybearer.server.refusals import Refusal

FORM = "application/x-www-form-urlencoded"
JSON = "application/json"


def _request(body: bytes, content_type: str) -> Request:
    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    headers = [(b"content-type", content_type.encode())] if content_type else []
    return Request({"type": "http", "method": "POST", "path": "/", "headers": headers}, receive)


async def test_a_form_is_decoded_once() -> None:
    form = await read_form(_request(b"a=%2541&b=x+y&empty=", f"{FORM}; charset=utf-8"))
    assert form == Form((("a", "%41"), ("b", "x y"), ("empty", "")))


@pytest.mark.parametrize("content_type", ["", JSON, "multipart/form-data; boundary=x", "text/plain"])
async def test_any_other_content_type_of_a_form_is_refused(content_type: str) -> None:
    with pytest.raises(Refusal) as refused:
        await read_form(_request(b"a=b", content_type))
    assert refused.value.code == "unsupported_media_type"


def test_a_repeated_parameter_is_refused_by_its_name() -> None:
    with pytest.raises(Refusal, match="repeated: code") as refused:
        parse_fields("code=a&code=b").one("code")
    assert "code" in refused.value.public


def test_a_missing_parameter_is_refused_by_its_name() -> None:
    with pytest.raises(Refusal, match="missing: grant_type"):
        parse_fields("a=b").one("grant_type")


def test_as_many_fields_as_allowed_pass_and_one_more_does_not() -> None:
    parse_fields("&".join(["a=b"] * MAX_FIELDS))
    with pytest.raises(Refusal, match="form:"):
        parse_fields("&".join(["a=b"] * (MAX_FIELDS + 1)))


def test_bytes_that_are_no_utf8_are_refused() -> None:
    with pytest.raises(Refusal, match="form:"):
        parse_fields("a=%ff")


async def test_an_empty_body_is_an_empty_object() -> None:
    assert await read_json(_request(b" \n", "")) == {}


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"[]", id="a list"),
        pytest.param(b"null", id="null"),
        pytest.param(b'{"a":', id="cut off"),
        pytest.param(b'{"a": NaN}', id="NaN"),
        pytest.param(b'{"a": 1e400}', id="a number without end"),
        pytest.param(b'{"a": ' + b"9" * 5000 + b"}", id="five thousand digits"),
        pytest.param(b"[" * 10_000 + b"]" * 10_000, id="ten thousand deep"),
        pytest.param(b'{"a":' * 21 + b"1" + b"}" * 21, id="twenty-one deep"),
        pytest.param(b'{"a": "\xff"}', id="no UTF-8"),
        pytest.param(b'{"a": 1, "a": 2}', id="one property twice"),
        pytest.param(b'{"b": {"a": 1, "a": 2}}', id="one property twice, inside"),
        pytest.param(b'{"a": ["\\ud800"]}', id="half a character"),
    ],
)
async def test_what_is_no_sound_object_is_refused(body: bytes) -> None:
    with pytest.raises(Refusal) as refused:
        await read_json(_request(body, JSON))
    assert refused.value.code == "invalid_json"


async def test_json_of_another_content_type_is_refused() -> None:
    with pytest.raises(Refusal) as refused:
        await read_json(_request(b"{}", "text/plain"))
    assert refused.value.code == "unsupported_media_type"


async def test_a_nesting_of_twenty_passes() -> None:
    assert await read_json(_request(b'{"a":' * 20 + b"1" + b"}" * 20, JSON))
