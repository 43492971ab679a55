"""HTML read into a tree by the standard library's parser."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Self

VOID = frozenset(["area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"])
UNSEEN = frozenset({"script", "style", "template"})


@dataclass(slots=True)
class Element:
    """One element: its tag, what is written in the tag, what it is in, and what is in it."""

    tag: str
    attributes: dict[str, str]
    parent: Self | None = None
    children: list[Self | str] = field(default_factory=list)

    def get(self, name: str, otherwise: str = "") -> str:
        """Return an attribute's value."""
        return self.attributes.get(name, otherwise)

    def has(self, name: str) -> bool:
        """Tell whether an attribute is there, with or without a value."""
        return name in self.attributes

    def every(self, *tags: str) -> Iterator[Self]:
        """Walk the elements of these tags below this one, in the order of the page."""
        for child in self.children:
            if not isinstance(child, str):
                if child.tag in tags:
                    yield child
                yield from child.every(*tags)

    def around(self, *tags: str) -> Self | None:
        """Return the nearest element of these tags that this one is in."""
        above = self.parent
        while above is not None and above.tag not in tags:
            above = above.parent
        return above

    @property
    def raw_text(self) -> str:
        """The text in it as it is written."""
        parts = (child if isinstance(child, str) else child.raw_text for child in self.children)
        return "" if self.tag in UNSEEN else "".join(parts)

    @property
    def text(self) -> str:
        """The text in it as it is seen: runs of white space are one space."""
        return " ".join(self.raw_text.split())


def read_html(html: str) -> Element:
    """Read a whole page; the answer is the element around everything."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    return reader.top


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.top = Element("", {})
        self._here = self.top

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = Element(tag, {name: value or "" for name, value in attrs}, self._here)
        self._here.children.append(element)
        if tag not in VOID:
            self._here = element

    def handle_endtag(self, tag: str) -> None:
        above: Element | None = self._here
        while above is not None and above.tag != tag:
            above = above.parent
        if above is not None and above.parent is not None:
            self._here = above.parent

    def handle_data(self, data: str) -> None:
        self._here.children.append(data)
