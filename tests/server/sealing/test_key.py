"""A server knows its own key again, under whatever name, and takes nothing else for it."""

from dataclasses import replace
from pathlib import Path

from keybearer.server.sealing.key import KEY, signer_of


def test_a_key_is_known_again_by_what_it_is(tmp_path: Path) -> None:
    ours, another = (signer_of("", tmp_path / place / KEY, "here/activity") for place in ("ours", "another"))
    assert ours.is_written(ours.verifier_key.text)
    assert ours.is_written(replace(ours.verifier_key, name="a.former.issuer/activity").text)
    assert not ours.is_written(another.verifier_key.text)
    assert not ours.is_written("no key")
