"""The key that signs the logs: Ed25519, kept outside the database."""

from pathlib import Path
from typing import Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from keybearer.server import secrets
from keybearer.server.key_files import kept_key
from keybearer.server.rules.activity_logs import base_origin
from keybearer.server.settings import Settings
from keybearer.wire.checkpoint import BadNote, Checkpoint, VerifierKey, key_from, signed

KEY: Final = "activity-key"  # the file in the data directory


class Signer:
    """
    Signs checkpoints.

    Args:
        base: the name of the server's tree, with which all logs' names begin.
    """

    def __init__(self, key: Ed25519PrivateKey, base: str) -> None:
        self._key = key
        self.verifier_key = VerifierKey(base, key.public_key().public_bytes_raw())

    def sign(self, checkpoint: Checkpoint) -> str:
        """
        Return the signed note of a checkpoint; the same one each time (RFC 8032: Ed25519 is deterministic).

        It is signed in the log's own name, which is not below the server's where the issuer was another before.
        """
        return signed(checkpoint, VerifierKey(checkpoint.origin, self.verifier_key.key), self._key.sign)

    def is_written(self, known: str) -> bool:
        """Tell whether *known*, as the database keeps it, is this key, whatever name stands before it."""
        try:
            return key_from(known).key == self.verifier_key.key
        except BadNote:
            return False

    def derived_key(self, purpose: str) -> bytes:
        """Return a secret key for one other *purpose*, 32 bytes: the same on all nodes that sign alike."""
        return secrets.derived_key(self._key.private_bytes_raw(), purpose)


def own_signer(settings: Settings) -> Signer:
    """
    Return what signs this server's logs.

    Raises:
        ValueError, OSError: as `signer_of` does.
    """
    return signer_of(settings.activity_key.get_secret_value(), _file(settings), base_origin(settings.issuer))


def missing_file(settings: Settings) -> Path | None:
    """Return the file that `own_signer` would make, for those who only look; None if there is a key."""
    file = _file(settings)
    return None if settings.activity_key.get_secret_value() or file.exists() else file


def signer_of(pem: str, path: Path, base: str) -> Signer:
    """
    Return what signs.

    Args:
        pem: the private key (PKCS #8, PEM); '' for the one in the file at *path*, which is made when it is not there.

    Raises:
        ValueError: it is no Ed25519 key.
        OSError: the file cannot be read or made.
    """
    text = pem or kept_key(path, _new)
    try:
        key = load_pem_private_key(text.encode(), None)
    except (TypeError, UnsupportedAlgorithm, ValueError) as error:  # of a key that has a password, it says TypeError
        raise ValueError(f"{_where(pem, path)} is not a private key in PEM, without a password: {error}") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise ValueError(f"{_where(pem, path)} is not an Ed25519 key")  # noqa: TRY004 - its value is wrong, not its type
    return Signer(key, base)


def _where(pem: str, path: Path) -> str:
    return "KEYBEARER_ACTIVITY_KEY" if pem else str(path)


def _file(settings: Settings) -> Path:
    return settings.data_dir / KEY


def _new() -> str:
    key = Ed25519PrivateKey.generate()
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode("ascii")
