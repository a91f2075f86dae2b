"""What the images install: the web image no torch, and nothing in a version nobody tested."""

import re
import tomllib
from importlib.metadata import PackageNotFoundError, requires
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
HEAVY = {"torch", "torchvision", "diffusers", "transformers", "open-clip-torch"}


def installed_with(*extras: str) -> set[str]:
    """Every package that the project pulls in with these extras, followed to the last."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    lines = [*project["dependencies"]]
    for extra in extras:
        lines += project["optional-dependencies"][extra]
    todo, seen = [Requirement(line) for line in lines], set[tuple[str, str]]()
    while todo:
        requirement = todo.pop()
        name = canonicalize_name(requirement.name)
        for extra in {"", *requirement.extras} - {e for n, e in seen if n == name}:
            seen.add((name, extra))
            todo += [
                needed
                for needed in needs_of(name)
                if needed.marker is None or needed.marker.evaluate({"extra": extra})
            ]
    return {name for name, _ in seen}


def needs_of(name: str) -> list[Requirement]:
    try:
        return [Requirement(line) for line in requires(name) or []]
    except PackageNotFoundError:
        return []  # not installed here, so not pinned either: the last test names it


def test_the_web_image_has_no_torch() -> None:
    packages = installed_with("platform")
    assert {"django", "celery", "kombu", "psycopg-binary", "botocore"} <= packages
    assert packages & HEAVY == set()
    assert {name for name in packages if name.startswith("nvidia-")} == set()


def test_the_worker_images_have_it() -> None:
    assert installed_with("platform", "models") >= HEAVY


@pytest.mark.parametrize("extras", [("platform",), ("platform", "models")])
def test_every_version_is_pinned(extras: tuple[str, ...]) -> None:
    """If not: install the extras of pyproject.toml and write the pins again."""
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    pinned = {canonicalize_name(m[1]) for line in lines if (m := re.match(r"([\w.-]+)==", line))}
    # `pip freeze` leaves out setuptools; only torch.compile would use it.
    assert installed_with(*extras) - pinned - {"setuptools"} == set()
