"""The environment is read once, typed, and refused with a list of everything that is wrong."""

import json
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from config.environment import Environment, read_environment

REQUIRED = {
    "SECRET_KEY", "DATABASE_URL", "REDIS_URL", "S3_ENDPOINT_URL", "S3_BUCKET",
    "S3_ACCESS_KEY_ID", "S3_SECRET_ACCESS_KEY", "MODELS",
}  # fmt: skip


def test_all_that_is_missing_is_listed_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in REQUIRED:
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(ImproperlyConfigured) as refusal:
        read_environment()
    for name in REQUIRED:
        assert f"{name}: is missing" in str(refusal.value)


def test_no_secret_has_a_default() -> None:
    fields = Environment.model_fields
    secrets = {name for name in fields if "secret" in name or "key" in name}
    assert secrets == {
        "secret_key", "secret_key_fallbacks", "s3_access_key_id", "s3_secret_access_key",
    }  # fmt: skip
    assert fields["secret_key_fallbacks"].default == ()
    assert all(fields[name].is_required() for name in secrets - {"secret_key_fallbacks"})


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("SECRET_KEY", "short", "at least 32"),
        ("SECRET_KEY_FALLBACKS", "x" * 40 + ",short", "at least 32"),
        ("DATABASE_URL", "mysql://x/y", "postgresql://"),
        ("DATABASE_URL", "postgresql://host", "postgresql://"),
        ("REDIS_URL", "http://x", "redis"),
        ("S3_ENDPOINT_URL", "x", "https?"),
        ("LEASE_SECONDS", "soon", "number"),
        ("DISPATCH_WINDOW", "0", "greater than or equal to 1"),
        ("WEBHOOK_ALLOWED_NETWORKS", "10.0.0.0/8,nonsense", "nonsense"),
        ("TRUSTED_PROXIES", "10.0.0.1/8", "host bits"),
        ("OUTGOING_PORTS", "443,https", "https is no port"),
        ("OUTGOING_PORTS", "0", "1-65535"),
        ("OUTGOING_PORTS", "9-8", "1-65535"),
        ("VISIBILITY_TIMEOUT_SECONDS", "60", "must exceed STAGE_DEADLINE_SECONDS"),
    ],
)
def test_what_is_malformed_is_named(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, says: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(ImproperlyConfigured, match=name) as refusal:
        read_environment()
    assert says in str(refusal.value)
    assert name != "SECRET_KEY" or value not in str(refusal.value).split()


def test_metrics_by_network_need_to_know_the_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS", "true")
    monkeypatch.setenv("METRICS_NETWORKS", "127.0.0.0/8")
    with pytest.raises(ImproperlyConfigured, match=r"METRICS_NETWORKS: .*TRUSTED_PROXIES"):
        read_environment()
    monkeypatch.setenv("TRUSTED_PROXIES", "10.0.0.0/8")
    assert read_environment().metrics_networks == ("127.0.0.0/8",)


@pytest.mark.parametrize("content", [None, "{", "[]", "{}", json.dumps({"pipelines": {}})])
def test_a_file_that_names_no_models_is_refused(tmp_path: Path, content: str | None) -> None:
    path = tmp_path / "models.json"
    if content is not None:
        path.write_text(content)
    environment = read_environment().model_copy(update={"models": str(path)})
    with pytest.raises(ImproperlyConfigured, match=f"MODELS: {path}"):
        environment.model_sources()


def test_a_preset_needs_no_weights_where_only_its_names_are_read() -> None:
    environment = read_environment().model_copy(update={"models": "sdxl"})
    assert list(environment.model_sources().pipelines) == ["sdxl"]


def test_a_socket_folder_is_an_address_too() -> None:
    environment = read_environment().model_copy(
        update={"database_url": "postgresql://someone@/name?host=/run/postgres"}
    )
    assert environment.database["HOST"] == "/run/postgres"
    assert environment.database["NAME"] == "name"
