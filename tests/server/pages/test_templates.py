"""What every template keeps to, whatever its page is about."""

import re
from pathlib import Path
from typing import Final

from keybearer.server import pages

_TEMPLATES: Final = Path(pages.__path__[0], "templates")
_NOT_IN_A_SENTENCE: Final = re.compile(r"{% block (?:title|in_team) %}.*?{% endblock %}|<caption.*?</caption>")
_ATTRIBUTE: Final = re.compile(r' [a-z-]+="[^"]*"')
_NAME: Final = re.compile(
    r"(?<!<bdi>){{ (?:\w+\.)*(?:team|user|member|client|app|row|token|twin|maker)(?:\.name|_name)? }}"
)


def test_a_name_that_people_chose_never_turns_the_sentence_around_it() -> None:
    """Arabic and Hebrew run from right to left, and take what stands beside them along, unless a ``bdi`` holds them."""
    loose = [
        f"{file.name}: {found}"
        for file in sorted(_TEMPLATES.glob("*.html"))
        for found in _NAME.findall(_ATTRIBUTE.sub("", _NOT_IN_A_SENTENCE.sub("", file.read_text("utf-8"))))
    ]
    assert loose == []
