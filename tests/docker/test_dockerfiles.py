"""The Dockerfiles: linted, unprivileged, and buildable from what the context lets in."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
NAMES = ["gpu", "web", "worker"]


def hadolint(path: Path) -> subprocess.CompletedProcess[str]:
    program = Path(sys.executable).with_name("hadolint")
    return subprocess.run([program, path], capture_output=True, text=True, timeout=60, check=False)


def test_each_image_has_its_dockerfile(dockerfiles: dict[str, Any]) -> None:
    assert sorted(dockerfiles) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_hadolint_has_nothing_to_say(name: str) -> None:
    result = hadolint(ROOT / "docker" / f"{name}.Dockerfile")
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")


def test_hadolint_would_object(tmp_path: Path) -> None:
    bad = tmp_path / "Dockerfile"
    bad.write_text("FROM python:latest\nRUN pip install django\n")
    result = hadolint(bad)
    assert result.returncode != 0
    assert "DL3007" in result.stdout
    assert "DL3013" in result.stdout


@pytest.mark.parametrize("name", NAMES)
def test_runs_as_an_unprivileged_user_with_a_health_check(
    name: str, dockerfiles: dict[str, Any]
) -> None:
    dockerfile = dockerfiles[name]
    (user,) = dockerfile.last_stage("USER")
    assert user.split(":")[0].isdecimal(), "a number, so that a cluster can tell it from root"
    assert int(user.split(":")[0]) >= 1000
    assert dockerfile.last_stage("HEALTHCHECK")
    assert dockerfile.last_stage("CMD")[0].startswith("["), "a shell would swallow signals"


@pytest.mark.parametrize("name", NAMES)
def test_base_images_are_named_by_version(name: str, dockerfiles: dict[str, Any]) -> None:
    dockerfile = dockerfiles[name]
    arguments = dict(words.split("=", 1) for words in dockerfile.all("ARG"))
    for words in dockerfile.all("FROM"):
        image = words.split()[0]
        image = arguments[image.strip("${}")] if image.startswith("$") else image
        tag = image.rpartition(":")[2]
        assert any(character.isdigit() for character in tag), image


def test_the_gpu_base_is_a_build_argument(
    dockerfiles: dict[str, Any], compose: dict[str, Any]
) -> None:
    assert dockerfiles["gpu"].all("FROM")[-1] == "${CUDA_IMAGE}"
    (default,) = [a for a in dockerfiles["gpu"].all("ARG") if a.startswith("CUDA_IMAGE=")]
    passed = compose["services"]["worker-gpu"]["build"]["args"]["CUDA_IMAGE"]
    assert passed == "${CUDA_IMAGE:-" + default.removeprefix("CUDA_IMAGE=") + "}"


def test_the_gpu_base_has_the_cuda_version_of_the_pinned_torch(dockerfiles: dict[str, Any]) -> None:
    pins = dict(
        line.split("==") for line in (ROOT / "constraints.txt").read_text().split() if "==" in line
    )
    (default,) = [a for a in dockerfiles["gpu"].all("ARG") if a.startswith("CUDA_IMAGE=")]
    cuda = default.rpartition(":")[2].split("-")[0]
    assert cuda.split(".")[:2] == pins["nvidia-cuda-runtime"].split(".")[:2]


def test_only_the_workers_install_models(dockerfiles: dict[str, Any]) -> None:
    installs = {
        name: [words for words in dockerfile.all("RUN") if "pip install" in words]
        for name, dockerfile in dockerfiles.items()
    }
    assert len(installs["web"]) == 1
    assert installs["web"][0].endswith('".[platform]"')
    for name in ("worker", "gpu"):
        assert any(words.endswith('".[platform,models,local-llm]"') for words in installs[name])


@pytest.mark.parametrize("name", NAMES)
def test_every_copied_path_is_there_and_let_in(name: str, dockerfiles: dict[str, Any]) -> None:
    lines = (ROOT / ".dockerignore").read_text().split("\n")
    assert "*" in lines, "what is not named stays out"
    let_in = {line.removeprefix("!") for line in lines if line.startswith("!")}
    copied = dockerfiles[name].copied_from_context()
    assert copied <= let_in
    assert [path for path in copied if not (ROOT / path).exists()] == []
