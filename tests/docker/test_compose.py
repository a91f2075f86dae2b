"""`compose.yaml`: valid, sealed, without secrets, and complete for every process."""

import re
import secrets
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.conf import settings

from config.environment import Environment, read_environment
from ethical_lens.text.llm.settings import LlmSettings, LocalLlmSettings
from jobs.stages import STAGES

FOLDER = Path(__file__).resolve().parents[2] / "docker"
VARIABLE = re.compile(r"\$\{(?P<name>\w+)(?::(?P<kind>[-?])(?P<rest>[^}]*))?\}")
BEYOND_DJANGO = {"OMP_NUM_THREADS", "GRANIAN_WORKERS", "HF_TOKEN"}
LANGUAGE_MODEL = {
    f"{kind.prefix}{name.upper()}"
    for kind in (LlmSettings, LocalLlmSettings)
    for name in kind.model_fields
}
NOT_IN_PRODUCTION = {"DEBUG"}
CREDENTIAL = re.compile(r"SECRET|PASSWORD|KEY|TOKEN|AUTH")


def validate(path: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", path],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def of_django(compose: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The services made of this project's images."""
    return {name: service for name, service in compose["services"].items() if "build" in service}


def queues_of(service: dict[str, Any]) -> list[str]:
    command = service.get("command", [])
    return command[command.index("-Q") + 1].split(",") if "-Q" in command else []


def seconds(duration: str) -> int:
    (number, unit), *rest = re.findall(r"(\d+)([smh])", duration)
    assert not rest
    return int(number) * {"s": 1, "m": 60, "h": 3600}[unit]


def example() -> dict[str, str]:
    lines = (FOLDER / "example.env").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


def test_the_schema_accepts_it() -> None:
    result = validate(FOLDER / "compose.yaml")
    assert result.returncode == 0, result.stdout + result.stderr


def test_the_schema_would_object(compose: dict[str, Any], tmp_path: Path) -> None:
    broken = yaml.safe_load(yaml.safe_dump(compose))
    broken["services"]["web"]["healthcheck"]["tests"] = "misspelt"
    (tmp_path / "compose.yaml").write_text(yaml.safe_dump(broken))
    assert validate(tmp_path / "compose.yaml").returncode == 1


def test_every_process_is_there(compose: dict[str, Any], one_shots: set[str]) -> None:
    assert set(compose["services"]) >= {"postgres", "redis", "s3", "web", "dispatcher", "beat"}
    assert one_shots == {"migrate", "bucket"}


def test_long_running_services_tell_their_health(
    compose: dict[str, Any], one_shots: set[str]
) -> None:
    for name, service in compose["services"].items():
        check = service["healthcheck"]
        assert check == {"disable": True} if name in one_shots else check["test"], name


def test_checks_of_our_own_are_known(compose: dict[str, Any]) -> None:
    asked = {
        name: service["healthcheck"]["test"][-1]
        for name, service in of_django(compose).items()
        if "test" in service["healthcheck"]
    }
    workers = {name: "worker" for name in asked if name.startswith("worker-")}
    assert asked == {"web": "web", "dispatcher": "dispatcher", "beat": "beat"} | workers


def test_every_service_is_sealed(compose: dict[str, Any]) -> None:
    for name, service in compose["services"].items():
        assert service["read_only"] is True, name
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert service["init"] is True, name
        assert "/tmp" in service["tmpfs"], name
        assert not service.get("privileged"), name
        if "build" not in service:
            # Our own images name their user; see test_dockerfiles.py.
            assert service["user"].split(":")[0] not in {"root", "0"}, name


def test_nothing_is_mounted_inline(compose: dict[str, Any]) -> None:
    """Compose copies such content into the container, which a read-only one refuses."""
    assert "configs" not in compose
    assert "secrets" not in compose


def test_only_loopback_is_published(compose: dict[str, Any]) -> None:
    published = {n: s["ports"] for n, s in compose["services"].items() if "ports" in s}
    assert sorted(published) == ["s3", "web"]
    for (port,) in published.values():
        assert re.fullmatch(r"\$\{\w+:-127\.0\.0\.1:\d+\}:\d+", port)


def test_database_and_broker_are_on_the_inner_network_alone(compose: dict[str, Any]) -> None:
    assert compose["networks"]["data"]["internal"] is True
    for name in ("postgres", "redis"):
        assert compose["services"][name]["networks"] == ["data"]


def test_there_is_no_literal_secret(compose: dict[str, Any]) -> None:
    for name, service in compose["services"].items():
        for key, value in service.get("environment", {}).items():
            if CREDENTIAL.search(key):
                variable = VARIABLE.fullmatch(value)
                assert variable, f"{name}: {key} is written out"
                assert variable["kind"] == "?" or not variable["rest"], f"{name}: {key}"
            password = re.search(r"://[^:@]*:(?P<password>.*)@", str(value))
            if password:
                variable = VARIABLE.fullmatch(password["password"])
                assert variable, f"{name}: {key}"
                assert variable["kind"] == "?", f"{name}: {key}"


def test_the_example_names_what_must_be_set_and_sets_no_secret() -> None:
    text = (FOLDER / "compose.yaml").read_text()
    required = {match["name"] for match in VARIABLE.finditer(text) if match["kind"] == "?"}
    assert set(example()) == required | {"COMPOSE_PROFILES"}
    assert [name for name in required if example()[name]] == []


def test_the_example_names_what_only_compose_knows() -> None:
    text = (FOLDER / "compose.yaml").read_text()
    fields = {name.upper() for name in Environment.model_fields} | LANGUAGE_MODEL
    own = {match["name"] for match in VARIABLE.finditer(text)} - fields
    assert [n for n in own if f"{n}=" not in (FOLDER / "example.env").read_text()] == []


def test_filled_in_files_stay_out_of_git_and_images() -> None:
    assert ".env" in (FOLDER / ".gitignore").read_text().splitlines()
    assert "!docker" not in (FOLDER.parent / ".dockerignore").read_text().splitlines()


def test_django_processes_get_what_they_know_and_nothing_else(compose: dict[str, Any]) -> None:
    known = {name.upper() for name in Environment.model_fields}
    for name, service in of_django(compose).items():
        passed = set(service["environment"])
        wanted = LANGUAGE_MODEL if name == "worker-text" else set()
        assert passed & LANGUAGE_MODEL == wanted, f"{name}: its key is for those who ask"
        passed -= LANGUAGE_MODEL
        assert passed - known <= BEYOND_DJANGO, f"{name} gets what nobody reads"
        assert known - passed == NOT_IN_PRODUCTION, f"{name}: add these to x-environment"


def test_the_filled_in_environment_is_accepted(
    compose: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    filled = {name: value or secrets.token_hex(32) for name, value in example().items()}

    def put(match: re.Match[str]) -> str:
        return filled.get(match["name"]) or (match["rest"] if match["kind"] == "-" else "")

    for name in Environment.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    for name, value in compose["services"]["web"]["environment"].items():
        monkeypatch.setenv(name, VARIABLE.sub(put, value))
    environment = read_environment()
    assert environment.database["PASSWORD"] == filled["POSTGRES_PASSWORD"]
    assert environment.database["HOST"] in compose["services"]
    assert environment.s3_secret_access_key == filled["S3_SECRET_ACCESS_KEY"]
    assert environment.lease_seconds == Environment.model_fields["lease_seconds"].default
    assert environment.debug is False


def test_the_folder_of_models_is_mounted(compose: dict[str, Any]) -> None:
    for name, service in of_django(compose).items():
        folder = service["environment"]["MODELS_FOLDER"]
        assert any(volume.endswith(f":{folder}:ro") for volume in service["volumes"]), name


@pytest.mark.parametrize("profile", ["cpu", "gpu"])
def test_every_queue_has_a_consumer(profile: str, compose: dict[str, Any]) -> None:
    consumed = {
        queue
        for service in compose["services"].values()
        if profile in service.get("profiles", [profile])
        for queue in queues_of(service)
    }
    assert consumed == {stage.queue for stage in STAGES.values()} | {"webhooks"}
    assert consumed == set(settings.QUEUES)


def test_evaluations_are_written_by_their_worker_alone(compose: dict[str, Any]) -> None:
    worker = compose["services"]["worker-evaluate"]
    assert queues_of(worker) == ["evaluate"]
    assert worker["profiles"] == ["evaluate"]
    folder = worker["environment"]["EVALUATIONS_FOLDER"]
    mounts = {
        name: [volume for volume in service["volumes"] if f":{folder}" in volume]
        for name, service in of_django(compose).items()
    }
    assert {name: found for name, found in mounts.items() if found} == {
        "web": [f"${{EVALUATIONS_DIR:-./evaluations}}:{folder}:ro"],
        "worker-evaluate": [f"${{EVALUATIONS_DIR:-./evaluations}}:{folder}"],
    }


def test_workers_do_not_fork_and_scrutinise_first(compose: dict[str, Any]) -> None:
    workers = {n: s for n, s in compose["services"].items() if queues_of(s)}
    assert sorted(workers) == [
        "worker-cpu",
        "worker-evaluate",
        "worker-fetch",
        "worker-gpu",
        "worker-io",
        "worker-text",
        "worker-webhooks",
    ]
    for name, service in workers.items():
        command = service["command"]
        assert command[:4] == ["celery", "-A", "config", "worker"], name
        assert command[command.index("--pool") + 1] in {"solo", "threads"}, name
        if "generate" in queues_of(service):
            assert queues_of(service) == ["scrutinise", "generate"], name


def test_workers_may_finish_their_stage_before_they_are_killed(compose: dict[str, Any]) -> None:
    deadline = Environment.model_fields["stage_deadline_seconds"].default
    for name, service in compose["services"].items():
        if queues_of(service):
            assert seconds(service["stop_grace_period"]) > deadline, name


def test_everything_waits_for_tables_and_bucket(
    compose: dict[str, Any], one_shots: set[str]
) -> None:
    for name, service in of_django(compose).items():
        if name not in one_shots:
            needed = {n: d["condition"] for n, d in service["depends_on"].items()}
            assert needed == dict.fromkeys(one_shots, "service_completed_successfully") | (
                dict.fromkeys(("postgres", "redis", "s3"), "service_healthy")
            ), name


def test_the_broker_refuses_rather_than_forgets(compose: dict[str, Any]) -> None:
    script = compose["services"]["redis"]["command"][-1]
    assert "--maxmemory-policy noeviction" in script
    assert "--appendonly yes" in script


def test_there_is_one_clock(compose: dict[str, Any]) -> None:
    clocks = [s for s in compose["services"].values() if "beat" in s.get("command", [])]
    assert len(clocks) == 1
    assert "deploy" not in clocks[0]
