"""The OpenAPI description taken apart for a page: operations with their fields, answers and examples."""

import json
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from keybearer.server.pages.markdown import anchor_of, inline_html, to_html

Json = dict[str, Any]
_METHODS: Final = ("get", "post", "put", "patch", "delete")


@dataclass(frozen=True, slots=True)
class Field:
    """A parameter, or a property of an object; its note is HTML."""

    name: str
    kind: str
    note: str


@dataclass(frozen=True, slots=True)
class Answer:
    """One of an operation's answers; *example* is JSON, '' for an answer without a body."""

    status: str
    meaning: str
    example: str


@dataclass(frozen=True, slots=True)
class Operation:
    """One method on one path."""

    anchor: str
    method: str
    path: str
    summary: str
    meaning: str
    takes: tuple[Field, ...]
    answers: tuple[Answer, ...]
    curl: str


@dataclass(frozen=True, slots=True)
class Group:
    """Operations that belong together."""

    name: str
    meaning: str
    operations: tuple[Operation, ...]


@dataclass(frozen=True, slots=True)
class Shape:
    """An object of the API, and its properties."""

    anchor: str
    name: str
    properties: tuple[Field, ...]


@dataclass(frozen=True, slots=True)
class Reference:
    """The whole API."""

    meaning: str
    groups: tuple[Group, ...]
    shapes: tuple[Shape, ...]


def reference_of(document: Json) -> Reference:
    """
    Return what the page shows of an OpenAPI description.

    Args:
        document: an OpenAPI 3.1 document, as it was read.
    """
    reader = _Reader(document)
    return Reference(to_html(document["info"]["description"]), tuple(reader.groups()), tuple(reader.shapes()))


class _Reader:
    def __init__(self, document: Json) -> None:
        self._document = document

    def groups(self) -> Iterator[Group]:
        operations = [
            (operation["tags"][0], self._operation(path, method, operation))
            for path, methods in self._document["paths"].items()
            for method, operation in methods.items()
            if method in _METHODS
        ]
        for tag in self._document["tags"]:
            own = tuple(operation for name, operation in operations if name == tag["name"])
            yield Group(tag["name"], tag["description"], own)

    def shapes(self) -> Iterator[Shape]:
        for name, schema in self._document["components"]["schemas"].items():
            if "object" in schema.get("properties", {}):
                yield Shape(anchor_of(f"object {name}"), name, tuple(self._properties(schema)))

    def _operation(self, path: str, method: str, operation: Json) -> Operation:
        return Operation(
            anchor=anchor_of(f"{method}-{path.removeprefix('/api/v2')}"),
            method=method.upper(),
            path=path,
            summary=operation["summary"],
            meaning=to_html(operation["description"]),
            takes=tuple(self._taken(operation)),
            answers=tuple(self._answer(status, self._at(told)) for status, told in operation["responses"].items()),
            curl=self._curl(path, method, operation),
        )

    def _taken(self, operation: Json) -> Iterator[Field]:
        for parameter in map(self._at, operation.get("parameters", [])):
            kind = self._kind(parameter["schema"])
            yield Field(parameter["name"], kind, _note(f"in the {parameter['in']}", parameter["description"]))
        if body := operation.get("requestBody"):
            yield from self._properties(self._at(body["content"]["application/json"]["schema"]))

    def _properties(self, schema: Json) -> Iterator[Field]:
        required = schema.get("required", ())
        for name, told in schema.get("properties", {}).items():
            own = self._at(told)
            where = "" if name in required else "optional, in the body"
            yield Field(name, self._kind(told), _note(where, own.get("description", "")))

    def _kind(self, schema: Json) -> str:
        """Write a schema in few words: ``text or null``, ``1 to 100``, ``list of text``."""
        if reference := schema.get("$ref"):
            schema = self._at(schema)
            if "properties" in schema:
                return str(reference.rpartition("/")[2])
        if "const" in schema:
            return json.dumps(schema["const"])
        if "enum" in schema:
            return ", ".join(json.dumps(word) for word in schema["enum"])
        if "oneOf" in schema:
            return " or ".join(self._kind(each) for each in schema["oneOf"])
        kinds = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
        return " or ".join(_in_words(kind, schema, self) for kind in kinds)

    def kind_of_items(self, schema: Json) -> str:
        return self._kind(schema.get("items", {"type": "object"}))

    def _answer(self, status: str, told: Json) -> Answer:
        examples = told.get("content", {}).get("application/json", {}).get("examples", {})
        example = next((self._at(each)["value"] for each in examples.values()), None)
        shown = "" if example is None else json.dumps(example, indent=2, ensure_ascii=False)
        return Answer(status, to_html(told["description"]), shown)

    def _curl(self, path: str, method: str, operation: Json) -> str:
        """Return the call as a line for a shell; ids are variables in it."""
        words = ["curl"]
        if operation.get("security") != []:
            words.append('-H "Authorization: Bearer $KEYBEARER_TOKEN"')
        if method != "get":
            words.append(f"-X {method.upper()}")
        if body := operation.get("requestBody"):
            example = next(iter(body["content"]["application/json"]["examples"].values()))["value"]
            words.append('-H "Content-Type: application/json"')
            words.append(f"-d {shlex.quote(json.dumps(example))}")
        place = re.sub(r"\{(\w+)\}", lambda name: f"${name[1].upper()}", path)
        words.append(f'"{self._document["servers"][0]["url"]}{place}"')
        return " \\\n  ".join([" ".join(words[:2]), *words[2:]])

    def _at(self, told: Json) -> Json:
        """Follow a reference, if it is one."""
        reference = told.get("$ref")
        if reference is None:
            return told
        found: Any = self._document
        for step in reference.removeprefix("#/").split("/"):
            found = found[step]
        return self._at(found)


def _note(where: str, meaning: str) -> str:
    """Return where a field stands, if that has to be said, and what it means, as one note in HTML."""
    note = ". ".join(part for part in (where, meaning.strip()) if part)
    return inline_html(note[:1].upper() + note[1:])


def _in_words(kind: str, schema: Json, reader: _Reader) -> str:
    match kind:
        case "null":
            return "null"
        case "boolean":
            return "true or false"
        case "array":
            return f"list of {reader.kind_of_items(schema)}"
        case "integer" if "maximum" in schema:
            return f"{schema.get('minimum', 0)} to {schema['maximum']}"
        case "integer":
            return "whole number"
        case "string" if schema.get("format") == "date-time":
            return "time"
        case "string" if "maxLength" in schema:
            return f"text, up to {schema['maxLength']}"
        case "string":
            return "text"
    return kind
