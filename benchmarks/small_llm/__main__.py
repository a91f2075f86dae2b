"""`python -m benchmarks.small_llm [--prompts 30]`: see README.md."""

import argparse
import json
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from benchmarks.small_llm.install import HOME, PYTHON, install
from benchmarks.small_llm.outcomes import Outcomes, ask, some_prompts
from ethical_lens.text.llm.aligner import LlmAligner
from ethical_lens.text.llm.client import ChatClient
from ethical_lens.text.llm.local.model import LocalChatModel
from ethical_lens.text.llm.settings import LlmSettings, LocalLlmSettings

PATIENCE: Final = 900.0
"""Seconds for one answer; how long it takes is not what is looked at."""
MOST_TOKENS: Final = 600


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.small_llm", description=__doc__)
    parser.add_argument("--prompts", type=int, default=30, help="how many (default: %(default)s)")
    parser.add_argument(
        "--only", choices=["http", "local"], help="one of the two ways to ask the model"
    )
    given = parser.parse_args()
    file, prompts = install(), some_prompts(given.prompts)
    report: dict[str, Outcomes] = {}
    if given.only != "local":
        with _served(file) as url:
            report["http"] = ask(_over_http(url), prompts)
        _print("over HTTP", report["http"], len(prompts))
    if given.only != "http":
        report["local"] = ask(_in_process(file), prompts)
        _print("in this process", report["local"], len(prompts))
    told = {name: outcomes.told() for name, outcomes in report.items()}
    (HOME / "report.json").write_text(json.dumps(told, indent=2) + "\n", encoding="utf-8")
    return int(any(one.unread or one.broken for one in report.values()))


def _over_http(url: str) -> LlmAligner:
    settings = LlmSettings(
        base_url=url,
        model="SmolLM2-135M-Instruct.Q4_1",
        timeout_seconds=PATIENCE,
        deadline_seconds=PATIENCE,
        retries=0,
    )
    return LlmAligner("llm", ChatClient(settings), settings.cache_size)


def _in_process(file: Path) -> LlmAligner:
    folder = HOME / "SmolLM2-135M-Instruct"
    if not (folder / "tokenizer.json").exists():
        convert: list[str | Path] = [
            sys.executable, "-m", "benchmarks.small_llm.weights", file, folder
        ]  # fmt: skip
        subprocess.run(convert, check=True)
    settings = LocalLlmSettings(
        model=str(folder), max_new_tokens=MOST_TOKENS, deadline_seconds=PATIENCE
    )
    return LlmAligner("local-llm", LocalChatModel.load(settings), settings.cache_size)


@contextmanager
def _served(file: Path) -> Iterator[str]:
    """The model on a port of its own. Raises `SystemExit` where it does not come up."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    script = Path(__file__).with_name("serve.py")
    server = subprocess.Popen([PYTHON, script, file, str(port)])
    try:
        end = time.monotonic() + 120
        while not _is_up(port):
            if server.poll() is not None or time.monotonic() > end:
                raise SystemExit("the server of the model did not come up")
            time.sleep(0.5)
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        server.terminate()
        server.wait()


def _is_up(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=5):
            return True
    except (urllib.error.URLError, OSError):
        return False


def _print(way: str, outcomes: Outcomes, number: int) -> None:
    print(f"\n{way}, {number} prompts")
    for label, count in sorted(outcomes.verdicts.items()):
        print(f"  {count:3}  believed: {label}")
    for reason, count in outcomes.refusals.most_common():
        print(f"  {count:3}  no verdict: {reason}")
    for reason, count in outcomes.merges.most_common():
        print(f"  {count:3}  merge: {reason}")
    for what, names in (("passed unread", outcomes.unread), ("broke", outcomes.broken)):
        print(f"  {len(names):3}  {what}")
        for name in names:
            print(f"         {name}")


if __name__ == "__main__":
    sys.exit(main())
