"""Files that settings are read from: the TOML file of ``KEYBEARER_CONFIG``, and those of ``KEYBEARER_<NAME>_FILE``."""

import os
import tomllib
from pathlib import Path
from typing import Any, Final

from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource

_PREFIX: Final = "KEYBEARER_"


class ConfigurationFile(PydanticBaseSettingsSource):
    """
    Reads the TOML file, in which settings have their own names, in lower case or as in the environment.

    A missing file or a misspelt name is an error. If it were ignored, a setting would silently keep its default, and
    the default of ``roles`` may allow more than the operator meant to.

    Raises:
        ValueError: the file cannot be read, is no TOML, or names a setting that does not exist.
    """

    def __init__(self, settings_cls: type[BaseSettings], path: Path) -> None:
        super().__init__(settings_cls)
        self._path = path

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:  # noqa: ARG002 - pydantic's signature
        """Return (value or None, name, whether it is complex)."""
        return self().get(field_name), field_name, False

    def __call__(self) -> dict[str, Any]:
        """Return what the file sets."""
        written = {_plain(name): value for name, value in self._read().items()}
        if unknown := sorted(written.keys() - self.settings_cls.model_fields.keys()):
            raise ValueError(f"{self._path}: there is no setting {', '.join(unknown)}")
        return written

    def _read(self) -> dict[str, Any]:
        try:
            return tomllib.loads(self._path.read_text("utf-8"))
        except OSError as error:
            raise ValueError(f"{self._path}: {(error.strerror or 'unreadable').lower()}") from error
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise ValueError(f"{self._path} is not TOML: {error}") from error


def _plain(name: str) -> str:
    return name.removeprefix(_PREFIX).lower() if name.startswith(_PREFIX) else name


class FileSecretsSource(PydanticBaseSettingsSource):
    """Reads each setting from the file that ``KEYBEARER_<NAME>_FILE`` names, without its last line end."""

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:  # noqa: ARG002 - pydantic's signature
        """Return (value or None, name, whether it is complex)."""
        path = os.environ.get(f"KEYBEARER_{field_name.upper()}_FILE")
        return (Path(path).read_text(encoding="utf-8").rstrip("\r\n") if path else None), field_name, False

    def __call__(self) -> dict[str, Any]:
        """Return what the files hold."""
        found = {name: self.get_field_value(field, name)[0] for name, field in self.settings_cls.model_fields.items()}
        return {name: value for name, value in found.items() if value is not None}
