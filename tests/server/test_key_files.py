"""A key that this server made for itself is read as it was made, or the server does not start."""

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, PrivateFormat
from pydantic import SecretStr

from keybearer.server import clock
from keybearer.server.sealing.key import signer_of
from keybearer.server.settings import Settings
from tests.support.house import open_house

LOCKED = (
    Ed25519PrivateKey.generate()
    .private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"password"))
    .decode()
)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("name", ["webhook-key", "activity-key"])
async def test_a_server_whose_key_has_become_empty_does_not_start_and_says_why(
    database_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    settings = Settings(data_dir=tmp_path, database_url=SecretStr(database_url))
    async with open_house(settings, clock.now):
        key = (tmp_path / name).read_text()
    (tmp_path / name).write_text("\n")
    with pytest.raises(ValueError, match=f"{name} holds no key"):
        async with open_house(settings, clock.now):
            pass
    assert "cannot start" in capsys.readouterr().out
    (tmp_path / name).write_text(key)
    async with open_house(settings, clock.now):
        assert (tmp_path / name).read_text() == key


@pytest.mark.parametrize("text", [pytest.param("no key " * 9, id="no PEM"), pytest.param(LOCKED, id="with a password")])
def test_what_is_no_key_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "activity-key").write_text(text)
    with pytest.raises(ValueError, match="activity-key is not a private key in PEM"):
        signer_of("", tmp_path / "activity-key", "example/activity")
    with pytest.raises(ValueError, match="KEYBEARER_ACTIVITY_KEY is not a private key in PEM"):
        signer_of(text, tmp_path / "activity-key", "example/activity")
