"""Settings are read from the environment, files and a TOML file, and a wrong one is refused with its name."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from keybearer.server.rules.activity_logs import KEPT_AT_LEAST_DAYS
from keybearer.server.settings import Settings


def test_the_defaults_are_the_references(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KEYBEARER_CONFIG", raising=False)
    settings = Settings()
    assert settings.access_token_ttl == settings.personal_token_ttl == 31_536_000
    assert settings.code_ttl == 600
    assert settings.rate == (200, 60)


def test_the_environment_wins_over_the_toml_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    config = tmp_path / "keybearer.toml"
    config.write_text('token_prefix = "file"\nproduct_name = "Acme"\n')
    monkeypatch.setenv("KEYBEARER_CONFIG", str(config))
    monkeypatch.setenv("KEYBEARER_TOKEN_PREFIX", "acme")
    settings = Settings()
    assert (settings.token_prefix, settings.product_name) == ("acme", "Acme")


def test_a_secret_may_stand_in_a_file_of_its_own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "url").write_text("postgresql://db/keybearer\n")
    monkeypatch.setenv("KEYBEARER_DATABASE_URL_FILE", str(tmp_path / "url"))
    assert Settings().store_url == "postgresql://db/keybearer"


def test_secrets_are_not_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEYBEARER_DATABASE_URL", "postgresql://user:opensesame@db/keybearer")
    assert "opensesame" not in repr(Settings())


def test_a_role_may_be_given_the_providers_own_permissions(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    config = tmp_path / "keybearer.toml"
    config.write_text(
        '[permissions]\n"orders:read" = "See orders"\n"orders:refund" = "Refund orders"\n'
        '[roles.member]\npermissions = ["orders:read"]\n'
    )
    monkeypatch.setenv("KEYBEARER_CONFIG", str(config))
    roles = Settings().role_permissions
    assert roles["member"] == {"orders:read"}
    assert roles["owner"] == {"orders:read", "orders:refund"}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ISSUER", "ftp://x"),
        ("ISSUER", "https://x/?a=b"),
        ("ISSUER", "https://x/keys"),
        ("ISSUER", "http://["),
        ("ISSUER", "https://x:99999"),
        ("ISSUER", "https://x:0"),
        ("SMTP_URL", "smtps://x:99999"),
        ("MAIL_FROM", "Acme"),
        ("MAIL_FROM", "a@example.com, b@example.com"),
        ("MAIL_FROM", "Acme, Inc. <a@example.com>"),
        ("MAIL_FROM", "a@example.com\nBcc: b@example.com"),
        ("PERMISSIONS", '{"clients read": "See clients"}'),
        ("RATE_LIMIT", "many"),
        ("RATE_LIMIT", "0/minute"),
        ("TOKEN_PREFIX", "with_underscore"),
        ("CODE_TTL", "601"),
        ("PERSONAL_TOKEN_TTL", "31536001"),
        ("REFRESH_TOKEN_TTL", "999999999999"),
        ("REFRESH_IDLE_TTL", "999999999999"),
        ("SESSION_TTL", "999999999999"),
        ("SESSION_IDLE_TTL", "999999999999"),
        ("TRUSTED_PROXIES", "127.0.0.1,10.0.0.1/8"),
        ("TRUSTED_PROXIES", "proxy.internal"),
        ("ACTIVITY_RETENTION", f"{KEPT_AT_LEAST_DAYS - 1}"),
        ("ROLES", '{"king": {"permissions": []}}'),
        ("ROLES", '{"owner": {"permissions": ["no:such"]}}'),
    ],
)
def test_a_wrong_setting_is_refused(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(f"KEYBEARER_{name}", value)
    with pytest.raises(ValidationError):
        Settings()
