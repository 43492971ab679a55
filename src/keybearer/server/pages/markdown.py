"""Markdown to HTML: headings to link to, examples in several languages to choose from, tables that fit a phone."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from itertools import groupby, pairwise
from typing import Final

from markdown_it import MarkdownIt
from markdown_it.token import Token
from pygments import highlight
from pygments.formatters.html import HtmlFormatter
from pygments.lexers import get_lexer_by_name

# The languages of an example, in the order of their tabs.
LANGUAGES: Final = {"bash": "curl", "python": "Python", "javascript": "JavaScript"}
OUTPUT: Final = "output"
_CAPTIONS: Final = {"json": "Answer", "http": "Answer"}
_MARKDOWN: Final = MarkdownIt("commonmark", {"html": False}).enable("table")
_FORMATTER: Final = HtmlFormatter(nowrap=True)


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block: its language, whether it shows what an example prints, and its text."""

    language: str
    is_output: bool
    text: str


def fenced(text: str) -> list[list[Block]]:
    """Return the fenced blocks of a Markdown text; those that follow each other without a word between are one list."""
    return [[_block(token) for token in run] for is_fence, run in _runs(_MARKDOWN.parse(text)) if is_fence]


def to_html(text: str) -> str:
    """Return Markdown as HTML; HTML in it is shown as text."""
    tokens = _MARKDOWN.parse(text)
    _label_cells(tokens)
    _name_headings(tokens)
    html: list[str] = []
    blocks = 0
    for is_fence, run in _runs(tokens):
        if is_fence:
            html.append(_examples([_block(token) for token in run], f"code-{(blocks := blocks + 1)}"))
        else:
            html.append(_MARKDOWN.renderer.render(run, _MARKDOWN.options, {}))
    return "".join(html).replace("<table>", '<div class="table-wrap"><table>').replace("</table>", "</table></div>")


def inline_html(text: str) -> str:
    """Return one line of Markdown as HTML, without a paragraph around it."""
    html: str = _MARKDOWN.renderInline(text)
    return html


def anchor_of(heading: str) -> str:
    """Return the anchor of a heading: its words in lower case, joined by hyphens."""
    return re.sub(r"[^a-z0-9_]+", "-", heading.lower()).strip("-")


def coloured(text: str, language: str) -> str:
    """Return code as HTML whose classes the style sheet gives colours."""
    coloured_text: str = highlight(text, get_lexer_by_name(language, stripnl=False), _FORMATTER)
    return coloured_text.removesuffix("\n")


def _runs(tokens: Sequence[Token]) -> Iterator[tuple[bool, list[Token]]]:
    for is_fence, run in groupby(tokens, lambda token: token.type == "fence"):
        yield is_fence, list(run)


def _block(token: Token) -> Block:
    language, _, more = token.info.strip().partition(" ")
    return Block(language, more == OUTPUT, token.content.removesuffix("\n"))


def _examples(blocks: list[Block], name: str) -> str:
    """Return blocks that belong together: the same thing in each language, then what it prints."""
    tabs = [block for block in blocks if block.language in LANGUAGES and not block.is_output]
    others = [block for block in blocks if block not in tabs]
    html = _tabs(tabs, name) if len(tabs) > 1 else "".join(_snippet(tab, name, LANGUAGES[tab.language]) for tab in tabs)
    for count, block in enumerate(others):
        caption = _CAPTIONS.get(block.language, "Output") if block.is_output else ""
        html += _snippet(block, f"{name}-{count}", caption)
    return html


def _tabs(blocks: list[Block], name: str) -> str:
    """Return radio buttons and what each of them shows; without styles, one stands below the other."""
    buttons = "".join(
        f'<input type="radio" name="{name}" id="{name}-tab-{block.language}" data-language="{block.language}"'
        f"{' checked' if block is blocks[0] else ''}>"
        f'<label for="{name}-tab-{block.language}">{LANGUAGES[block.language]}</label>'
        for block in blocks
    )
    panels = "".join(
        f'<div class="example" data-language="{block.language}">{_copy_button(name, block, LANGUAGES[block.language])}'
        f"{_code(block, name)}</div>"
        for block in blocks
    )
    legend = '<legend class="visually-hidden">The example in</legend>'
    return f'<fieldset class="examples">{legend}{buttons}{panels}</fieldset>'


def _snippet(block: Block, name: str, caption: str) -> str:
    button = "" if block.is_output or not caption else _copy_button(name, block, caption)
    head = f"<figcaption>{caption}{button}</figcaption>" if caption else ""
    kind = "snippet answer" if block.is_output else "snippet"
    return f'<figure class="{kind}">{head}{_code(block, name)}</figure>'


def _copy_button(name: str, block: Block, label: str) -> str:
    return (
        f'<button type="button" class="button small" data-copy="{name}-{block.language}"'
        f' data-copied="{label} copied" hidden>Copy<span class="visually-hidden"> {label}</span></button>'
    )


def _code(block: Block, name: str) -> str:
    code = coloured(block.text, block.language) if block.language else escape(block.text)
    return f'<pre tabindex="0"><code id="{name}-{block.language}">{code}</code></pre>'


def _name_headings(tokens: list[Token]) -> None:
    """Give each heading below the first an id, so that it can be linked to."""
    for opening, inline in pairwise(tokens):
        if opening.type == "heading_open" and opening.tag != "h1":
            opening.attrSet("id", anchor_of(_plain(inline)))


def _label_cells(tokens: list[Token]) -> None:
    """Write into each cell the heading of its column, for phones; the first of a row is the row's heading."""
    headings: list[str] = []
    column = 0
    for opening, inline, closing in zip(tokens, tokens[1:], tokens[2:], strict=False):
        match opening.type:
            case "thead_open":
                headings = []
            case "tr_open":
                column = 0
            case "th_open":
                headings.append(_plain(inline))
                _as_cell(opening, closing, "col" if headings[-1] else "")
            case "td_open":
                if column == 0:
                    _as_cell(opening, closing, "row")
                elif headings[column]:
                    opening.attrSet("data-label", headings[column])
                    _as_one_part(inline)
                column += 1


def _as_one_part(inline: Token) -> None:
    """Wrap what is in a cell: where cells are grids, its words and links must not each take a place of their own."""
    start, end = (Token("html_inline", "", 0, content=tag) for tag in ("<span>", "</span>"))
    inline.children = [start, *(inline.children or []), end]


def _as_cell(opening: Token, closing: Token, scope: str) -> None:
    """Make a cell the heading of its column or row; '' makes it a plain cell, for a heading needs words."""
    opening.tag = closing.tag = "th" if scope else "td"
    if scope:
        opening.attrSet("scope", scope)


def _plain(inline: Token) -> str:
    return "".join(child.content for child in inline.children or [])
