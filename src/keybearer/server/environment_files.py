"""Settings whose value is kept in a file: ``KEYBEARER_<NAME>_FILE`` names it."""

import os
from pathlib import Path
from typing import Any

from pydantic.fields import FieldInfo
from pydantic_settings import PydanticBaseSettingsSource


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
