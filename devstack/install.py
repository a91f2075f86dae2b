"""Makes `.venv` and installs the project into it. Standard library only; run by the Makefile.

`python devstack/install.py demo` installs what `make demo` needs, `dev` adds the test tools.
"""

import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
VENV = ROOT / ".venv"
EXTRAS = {"demo": "platform,models,embedded", "dev": "platform,models,local-llm,embedded,dev"}
NEEDED_BYTES = 9 * 1024**3
"""torch with its CUDA libraries is most of it."""


def main() -> int:
    what = sys.argv[1]
    if sys.version_info[:2] != (3, 11):
        return _fail(
            f"Python 3.11 is needed, this is {sys.version.split()[0]}. "
            "Name one: make demo PYTHON=/path/to/python3.11"
        )
    fresh = not (VENV / "bin" / "python").exists()
    free = shutil.disk_usage(ROOT).free
    if fresh and free < NEEDED_BYTES:
        return _fail(
            f"The disk of {ROOT} has {free / 1024**3:.1f} GB free; installing needs about "
            f"{NEEDED_BYTES / 1024**3:.0f} GB."
        )
    try:
        if fresh:
            print(f"Creating {VENV}", flush=True)
            venv.create(VENV, with_pip=True)
    except (OSError, subprocess.CalledProcessError) as error:
        return _fail(f"{VENV} could not be created: {error}")
    log = VENV / "install.log"
    print(f"Installing what constraints.txt pins; minutes the first time (log: {log})", flush=True)
    with log.open("w") as out:
        code = subprocess.run(
            [
                VENV / "bin" / "python", "-m", "pip", "install", "--disable-pip-version-check",
                "--prefer-binary", "--no-input", "-c", ROOT / "constraints.txt",
                "-e", f"{ROOT}[{EXTRAS[what]}]",
            ],
            stdout=out, stderr=subprocess.STDOUT, cwd=ROOT, check=False,
            env={**os.environ, "PIP_CONSTRAINT": str(ROOT / "constraints.txt")},
        ).returncode  # fmt: skip
    if code:
        return _fail(_why(log.read_text(errors="replace"), log))
    if what == "dev":
        _install_chromium()
    for mark in ("demo", "dev") if what == "dev" else ("demo",):
        (VENV / f".{mark}").touch()
    return 0


def _install_chromium() -> None:
    """Chromium for the tests in a browser, where this may install it: Debian, as root. Elsewhere
    those tests are left out, and the end of the run names them."""
    if shutil.which("chromium"):
        return
    apt = shutil.which("apt-get")
    if apt is None or os.geteuid() != 0:
        print("No Chromium here, and not root on Debian: tests in a browser will be left out.")
        return
    print("Installing Chromium for the tests in a browser", flush=True)
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for arguments in (["update"], ["install", "-y", "--no-install-recommends", "chromium"]):
        done = subprocess.run(
            [apt, "-q", *arguments], env=environment, capture_output=True, text=True, check=False
        )
        if done.returncode:
            last = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
            print(f"Chromium was not installed ({last}): tests in a browser will be left out.")
            return


def _why(log: str, path: Path) -> str:
    """One line on why pip failed."""
    known = {
        "No space left on device": "The disk is full.",
        "error: command 'gcc' failed": "A package had to be compiled and no compiler is here.",
        "error: command 'cc' failed": "A package had to be compiled and no compiler is here.",
        "Could not find a version that satisfies": "A package is not to be had from the registry.",
        "NewConnectionError": "The package registry cannot be reached.",
    }
    reason = next((line for text, line in known.items() if text in log), "pip failed.")
    last = next((line for line in reversed(log.splitlines()) if "ERROR" in line), "")
    return f"{reason} {last.strip()} The whole log: {path}"


def _fail(message: str) -> int:
    print(message, file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main())
