"""Markdown as the guides use it, turned into HTML that needs no script and fits a phone."""

import pytest

from keybearer.server.pages.markdown import anchor_of, to_html
from tests.support.elements import read_html

EXAMPLE = "```bash\ncurl x\n```\n\n```python\nprint(1)\n```\n\n```text output\n1\n```\n"


def test_html_in_a_guide_is_shown_as_text() -> None:
    html = to_html("<script>alert(1)</script>\n\n```text\n<b>\n```\n\n`<i>`\n")
    assert "<script>" not in html
    assert "<b>" not in html
    assert "<i>" not in html


def test_examples_that_follow_each_other_are_one_choice() -> None:
    top = read_html(to_html(EXAMPLE))
    radios = list(top.every("input"))
    assert [radio.get("data-language") for radio in radios] == ["bash", "python"]
    assert [radio.has("checked") for radio in radios] == [True, False]
    assert {radio.get("name") for radio in radios} == {"code-1"}
    assert [label.text for label in top.every("label")] == ["curl", "Python"]
    assert [code.raw_text for code in top.every("code")] == ["curl x", "print(1)", "1"]


def test_an_example_in_one_language_needs_no_choice() -> None:
    top = read_html(to_html("```bash\ncurl x\n```\n"))
    assert not list(top.every("input"))
    assert [button.get("data-copy") for button in top.every("button")] == ["code-1-bash"]


def test_a_copy_button_names_the_code_beside_it() -> None:
    top = read_html(to_html(EXAMPLE + "\nThen:\n\n" + EXAMPLE))
    codes = {code.get("id"): code for code in top.every("code")}
    buttons = [button.get("data-copy") for button in top.every("button")]
    assert buttons == ["code-1-bash", "code-1-python", "code-2-bash", "code-2-python"]
    assert set(buttons) <= set(codes)


def test_cells_name_their_column_and_rows_have_a_heading() -> None:
    top = read_html(to_html("| | A |\n|---|---|\n| one | 1 |\n| two | 2 |\n"))
    assert [(cell.get("data-label"), cell.text) for cell in top.every("td")] == [("", ""), ("A", "1"), ("A", "2")]
    assert [(cell.get("scope"), cell.text) for cell in top.every("th")] == [
        ("col", "A"),
        ("row", "one"),
        ("row", "two"),
    ]


@pytest.mark.parametrize(
    ("heading", "anchor"),
    [
        pytest.param("The answer got lost", "the-answer-got-lost", id="words"),
        pytest.param("invalid_grant", "invalid_grant", id="a code"),
        pytest.param("1. Register your app", "1-register-your-app", id="a number"),
        pytest.param("POST /oauth/token", "post-oauth-token", id="a path"),
    ],
)
def test_a_heading_has_an_anchor(heading: str, anchor: str) -> None:
    assert anchor_of(heading) == anchor
    assert read_html(to_html(f"## {heading}\n")).every("h2").__next__().get("id") == anchor
