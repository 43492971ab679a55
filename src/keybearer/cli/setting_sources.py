"""Each setting as it is in force, and where its value comes from."""

import json
from typing import Final

from pydantic import SecretStr
from pydantic_settings import (
    EnvSettingsSource,
    InitSettingsSource,
    PydanticBaseSettingsSource,
)

from keybearer.cli.workplace import load_settings
from keybearer.server.settings import Settings
from keybearer.server.settings_files import ConfigurationFile, FileSecretsSource

_MASK: Final = "********"


def described_settings() -> list[dict[str, object]]:
    """
    Return the settings in the order of the manual: name, value, source, and what it is.

    Raises:
        Trouble: one of them is wrong.
    """
    settings = load_settings()
    sources = _sources()
    return [
        {
            "name": _variable(name),
            "value": _shown(getattr(settings, name)),
            "source": sources.get(name, "default"),
            "description": field.description,
        }
        for name, field in Settings.model_fields.items()
    ]


def _sources() -> dict[str, str]:
    """Return where each setting comes from that is not at its default; the first source that has it is in force."""
    nothing = InitSettingsSource(Settings, {})
    environment = EnvSettingsSource(Settings)
    found: dict[str, str] = {}
    for source in Settings.settings_customise_sources(Settings, nothing, environment, nothing, nothing):
        for name in source():
            found.setdefault(name, _named(source, name))
    return found


def _named(source: PydanticBaseSettingsSource, name: str) -> str:
    if isinstance(source, FileSecretsSource):
        return f"file of {_variable(name)}_FILE"
    return "file of KEYBEARER_CONFIG" if isinstance(source, ConfigurationFile) else "environment"


def _variable(name: str) -> str:
    return f"KEYBEARER_{name.upper()}"


def _shown(value: object) -> str:
    if isinstance(value, SecretStr):
        return _MASK if value.get_secret_value() else ""
    if isinstance(value, dict):
        return json.dumps(value, ensure_ascii=False)
    return ",".join(map(str, value)) if isinstance(value, tuple) else str(value)
