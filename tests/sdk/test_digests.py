"""The quickest SHA-256 is SHA-256."""

import hashlib

import pytest

from keybearer.sdk.digests import sha256


@pytest.mark.parametrize("length", [0, 1, 50, 55, 56, 64, 65, 10_000])
def test_it_is_what_hashlib_says(length: int) -> None:
    text = b"k" * length
    assert sha256(text).digest() == hashlib.sha256(text).digest()
