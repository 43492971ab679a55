"""What an operator can choose, read once from the environment and a TOML file."""

import os
import re
from difflib import get_close_matches
from email.policy import default as mail_policy
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Annotated, Final, Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from keybearer.server.roles import (
    DEFAULT_PERMISSIONS,
    ROLE_NAMES,
    default_role_permissions,
)
from keybearer.server.settings_files import ConfigurationFile, FileSecretsSource
from keybearer.verify.lease import BOUND_S, LEASE_S

_PREFIX: Final = "KEYBEARER_"
YEAR_S: Final = 31_536_000
MIN_KEY_LENGTH: Final = 32
_RATE: Final = re.compile(r"(\d{1,6})/(second|minute|hour)")
_ADDRESS: Final = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+):(\d{1,5})")
_AUTHORITY: Final = r"([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(:\d{1,5})?"
_PERMISSION: Final = re.compile(r"[\x21\x23-\x5B\x5D-\x7E]+")  # a scope-token: RFC 6749, 3.3
_WINDOWS_S: Final = {"second": 1, "minute": 60, "hour": 3600}


class Rate(tuple[int, int]):
    """How many calls (first) are allowed in how many seconds (second)."""

    __slots__ = ()


class Settings(BaseSettings):
    """Settings and their defaults; ``KEYBEARER_…`` in the environment wins over the file of ``KEYBEARER_CONFIG``."""

    model_config = SettingsConfigDict(env_prefix=_PREFIX, frozen=True, extra="ignore", env_ignore_empty=True)

    data_dir: Path = Field(Path("data"), description="Embedded database, generated keys, mail as files.")
    database_url: SecretStr = Field(
        SecretStr(""), description="postgresql://… for several nodes; SQLite in the data directory when empty."
    )
    issuer: str = Field("http://127.0.0.1:8000", description="Public base URL; never taken from a request.")
    token_prefix: str = Field(
        "kb", pattern=r"^[a-z][a-z0-9]{0,15}$", description="The API provider's own prefix for tokens."
    )
    product_name: str = Field("Keybearer", min_length=1, max_length=60, description="The name people see on the pages.")
    rate_limit: str = Field(
        "200/minute", description="Calls per user and team, all APIs and nodes together: N/second, N/minute or N/hour."
    )
    access_token_ttl: int = Field(YEAR_S, ge=60, le=10 * YEAR_S, description="Seconds an OAuth access token lives.")
    personal_token_ttl: int = Field(
        YEAR_S, ge=60, le=YEAR_S, description="Seconds a personal access token lives at most."
    )
    code_ttl: int = Field(600, ge=10, le=600, description="Seconds an authorization code lives.")
    refresh_token_ttl: int = Field(
        2 * YEAR_S, ge=60, le=100 * YEAR_S, description="Seconds after which a family of tokens ends for good."
    )
    refresh_idle_ttl: int = Field(
        YEAR_S, ge=60, le=100 * YEAR_S, description="Seconds after which an unused refresh token ends."
    )
    session_idle_ttl: int = Field(
        8 * 3600, ge=60, le=10 * YEAR_S, description="Seconds after which an unused sign-in ends."
    )
    session_ttl: int = Field(
        14 * 24 * 3600, ge=60, le=10 * YEAR_S, description="Seconds after which a sign-in ends, used or not."
    )
    request_timeout: int = Field(
        10, ge=1, le=300, description="Seconds that a request's head, and then its body, may take to arrive."
    )
    bound: int = Field(
        10,
        ge=3,
        le=300,
        description="Seconds after which no verifier accepts what was revoked, whatever breaks: 3 strict, 60 tolerant.",
    )
    barrier: Literal["off", "on"] = Field(
        "off",
        description="Whether PostgreSQL proves, by its synchronous standby, that no other primary has taken over.",
    )
    metrics_listen: str = Field(
        "", description="HOST:PORT that answers `GET /metrics` for Prometheus, there alone; off when empty."
    )
    trusted_proxies: Annotated[tuple[IPv4Network | IPv6Network, ...], NoDecode] = Field(
        (), description="IP addresses and networks that may set forwarding headers, comma-separated."
    )
    smtp_url: SecretStr = Field(
        SecretStr(""), description="smtp://user:password@host:port; mail goes to files when empty."
    )
    mail_from: str = Field("keybearer@localhost", description="The sender of mail.")
    notices: Literal["off", "on"] = Field(
        "on",
        description="Whether users are mailed before what acts in their name ends, and when somebody else revokes it.",
    )
    webhook_key: SecretStr = Field(
        SecretStr(""),
        description="Seals webhooks' signing secrets, the same on all nodes; a file in the data directory when empty.",
    )
    webhook_private_addresses: bool = Field(
        default=False,
        description="Dangerous, for tests only: webhooks may lead into this server's own network, and use plain http.",
    )
    activity_retention: int = Field(
        400, ge=31, le=3660, description="Days that activity records are kept; they are deleted by whole months."
    )
    activity_key: SecretStr = Field(
        SecretStr(""),
        description="Ed25519 private key (PEM) that signs the activity log; made in the data directory when empty.",
    )
    permissions: dict[str, str] = Field(
        default_factory=lambda: dict(DEFAULT_PERMISSIONS),
        description="Permission names and what they let a token do, in words.",
    )
    roles: dict[str, dict[str, tuple[str, ...]]] = Field(
        default_factory=dict, description="What a role may do, where it differs from the default."
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - the signature is pydantic's
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - the signature is pydantic's
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Order the sources: arguments, environment, ``…_FILE`` variables, TOML file."""
        sources = [init_settings, env_settings, FileSecretsSource(settings_cls)]
        if config := os.environ.get("KEYBEARER_CONFIG"):
            sources.append(ConfigurationFile(settings_cls, Path(config)))
        return tuple(sources)

    @field_validator("issuer")
    @classmethod
    def _issuer_is_a_base_url(cls, value: str) -> str:
        if not re.fullmatch(rf"https?://{_AUTHORITY}/?", value) or urlsplit(value).port == 0:
            msg = "must be an http or https URL with a host and nothing behind it: pages do not work under a path"
            raise ValueError(msg)
        return value.rstrip("/")

    @field_validator("database_url")
    @classmethod
    def _database_is_one_that_we_speak(cls, value: SecretStr) -> SecretStr:
        if not re.match(r"(postgres(ql)?://|sqlite:///(?!:memory:).|$)", value.get_secret_value()):
            msg = "must begin with postgresql://, or with sqlite:/// and the path of a file"
            raise ValueError(msg)
        return value

    @field_validator("smtp_url")
    @classmethod
    def _mail_has_a_server_to_go_to(cls, value: SecretStr) -> SecretStr:
        url = value.get_secret_value()
        if not re.fullmatch(rf"|smtps?://([^@/?#\s]+@)?{_AUTHORITY}/?", url) or urlsplit(url).port == 0:
            msg = "must read like smtps://user:password@host:port, with user and password percent-encoded"
            raise ValueError(msg)
        return value

    @field_validator("mail_from")
    @classmethod
    def _mail_has_one_sender(cls, value: str) -> str:
        found = mail_policy.header_factory("From", value).addresses
        if not value.isprintable() or len(found) != 1 or not (found[0].username and found[0].domain):
            msg = 'must be one address, such as keybearer@example.com or "Acme, Inc." <keybearer@example.com>'
            raise ValueError(msg)
        return value

    @field_validator("metrics_listen")
    @classmethod
    def _metrics_have_an_address(cls, value: str) -> str:
        match = _ADDRESS.fullmatch(value)
        if value and (match is None or not 0 < int(match[2]) < 65536):
            msg = "must read like 127.0.0.1:9464 or [::1]:9464"
            raise ValueError(msg)
        return value

    @field_validator("webhook_key")
    @classmethod
    def _key_is_long_enough(cls, value: SecretStr) -> SecretStr:
        if 0 < len(value.get_secret_value()) < MIN_KEY_LENGTH:
            msg = f"must be random, and at least {MIN_KEY_LENGTH} characters long"
            raise ValueError(msg)
        return value

    @field_validator("trusted_proxies", mode="before")
    @classmethod
    def _split_at_commas(cls, value: object) -> object:
        return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value

    @field_validator("rate_limit")
    @classmethod
    def _rate_is_readable(cls, value: str) -> str:
        match = _RATE.fullmatch(value)
        if match is None or int(match[1]) == 0:
            msg = "must read like 200/minute, with a number from 1 to 999999"
            raise ValueError(msg)
        return value

    @field_validator("permissions")
    @classmethod
    def _permissions_can_be_asked_for(cls, value: dict[str, str]) -> dict[str, str]:
        if wrong := [name for name in value if not _PERMISSION.fullmatch(name)]:
            msg = f"a name is of printable ASCII, without spaces, quotes and backslashes; not so: {', '.join(wrong)!r}"
            raise ValueError(msg)
        return value

    @model_validator(mode="after")
    def _roles_and_permissions_are_known(self) -> Self:
        for role, table in self.roles.items():
            if role not in ROLE_NAMES or set(table) != {"permissions"}:
                msg = f"roles.{role} must be one of {', '.join(ROLE_NAMES)} and hold only 'permissions'"
                raise ValueError(msg)
            if unknown := set(table["permissions"]) - set(self.permissions):
                msg = f"roles.{role} names unknown permissions: {', '.join(sorted(unknown))}"
                raise ValueError(msg)
        return self

    @model_validator(mode="after")
    def _barrier_has_a_standby_to_ask(self) -> Self:
        if self.barrier == "on" and not self.database_url.get_secret_value().startswith("postgres"):
            msg = "barrier = on needs a PostgreSQL, with a synchronous standby"
            raise ValueError(msg)
        return self

    @property
    def store_url(self) -> str:
        """The database's URL; the embedded one unless another is set."""
        return self.database_url.get_secret_value() or f"sqlite:///{self.data_dir.absolute() / 'keybearer.db'}"

    @property
    def metrics_address(self) -> tuple[str, int] | None:
        """Where metrics are answered, as host and port; None: nowhere."""
        match = _ADDRESS.fullmatch(self.metrics_listen)
        return (match[1].strip("[]"), int(match[2])) if match else None

    @property
    def rate(self) -> Rate:
        """The rate limit as (calls, seconds)."""
        calls, window = self.rate_limit.split("/")
        return Rate((int(calls), _WINDOWS_S[window]))

    @property
    def lease_s(self) -> float:
        """
        For how many seconds after a question a verifier may believe the answer; shorter than the bound.

        Source: coherence.md 5.5: S >= L / (1 - drift) + the time from the last check to its effect.
        """
        return self.bound * LEASE_S / BOUND_S

    @property
    def is_https(self) -> bool:
        """Whether people and programs reach the server over TLS."""
        return self.issuer.startswith("https://")

    @property
    def role_permissions(self) -> dict[str, frozenset[str]]:
        """What each role may do: the defaults, with the file's tables in their place."""
        chosen = default_role_permissions(frozenset(self.permissions))
        return chosen | {role: frozenset(table["permissions"]) for role, table in self.roles.items()}


def misspelt_variables() -> dict[str, str]:
    """
    Return which ``KEYBEARER_…`` variables are no setting, but nearly called as one; each with that setting's variable.

    Others are for others: a program of the same user may have its token in ``KEYBEARER_TOKEN``.
    """
    known = [variable for name in Settings.model_fields for variable in (name.upper(), f"{name.upper()}_FILE")]
    found = (name.removeprefix(_PREFIX) for name in sorted(os.environ) if name.startswith(_PREFIX))
    unknown = (name for name in found if name not in {*known, "CONFIG"})
    nearest = {name: get_close_matches(name, known, n=1, cutoff=0.8) for name in unknown}
    return {f"{_PREFIX}{name}": f"{_PREFIX}{names[0]}" for name, names in nearest.items() if names}
