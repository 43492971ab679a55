r"""JSON is written as the reference writes it: slashes as they are, what is not ASCII as ``\uXXXX``."""

import json

from hypothesis import given
from hypothesis import strategies as st

from keybearer.server.http.answers import json_bytes


def test_slashes_are_not_escaped_and_other_scripts_are() -> None:
    assert json_bytes({"a": "x/y \u00e9 \U0001f511"}) == b'{"a":"x/y \\u00e9 \\ud83d\\udd11"}'


@given(
    st.dictionaries(
        st.text(st.characters(exclude_categories=["Cs"])), st.text(st.characters(exclude_categories=["Cs"]))
    )
)
def test_what_is_written_is_ascii_and_reads_back(body: dict[str, str]) -> None:
    written = json_bytes(body)
    assert written.isascii()
    assert json.loads(written) == body
