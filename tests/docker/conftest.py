"""The files under `docker/`, read as a builder and as Compose read them."""

import re
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "docker"


@dataclass(frozen=True)
class Dockerfile:
    """A Dockerfile as (instruction, words) pairs, continuation lines joined."""

    path: Path
    instructions: tuple[tuple[str, str], ...]

    @classmethod
    def read(cls, path: Path) -> "Dockerfile":
        text = re.sub(r"^#.*\n", "", path.read_text(), flags=re.MULTILINE).replace("\\\n", " ")
        lines = [line.split(maxsplit=1) for line in text.splitlines() if line.strip()]
        return cls(path, tuple((word.upper(), rest) for word, rest in lines))

    def all(self, instruction: str) -> list[str]:
        return [rest for word, rest in self.instructions if word == instruction]

    def last_stage(self, instruction: str) -> list[str]:
        start = max(i for i, (word, _) in enumerate(self.instructions) if word == "FROM")
        return [rest for word, rest in self.instructions[start:] if word == instruction]

    def copied_from_context(self) -> set[str]:
        copies = [shlex.split(rest) for rest in self.all("COPY")]
        return {
            source for words in copies if not words[0].startswith("--from") for source in words[:-1]
        }


@pytest.fixture(scope="session")
def dockerfiles() -> dict[str, Dockerfile]:
    """By name: `web`, `worker`, `gpu`."""
    return {
        path.name.removesuffix(".Dockerfile"): Dockerfile.read(path)
        for path in sorted(FOLDER.glob("*.Dockerfile"))
    }


@pytest.fixture(scope="session")
def compose() -> dict[str, Any]:
    """`compose.yaml` with its anchors resolved and its variables as they are written."""
    parsed: dict[str, Any] = yaml.safe_load((FOLDER / "compose.yaml").read_text())
    return parsed


@pytest.fixture(scope="session")
def one_shots(compose: dict[str, Any]) -> set[str]:
    """Services that end, and that others wait for."""
    return {
        name
        for service in compose["services"].values()
        for name, needed in service.get("depends_on", {}).items()
        if needed["condition"] == "service_completed_successfully"
    }
