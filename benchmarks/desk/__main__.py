"""Taking the next item and opening its page, in a short and in a long queue:
`python -m benchmarks.desk`.

On throw-away services, through Django's own request handling. The median of so many rounds, each
with an item taken, its page opened and the item handed back. Figures go to stdout as JSON.
"""

import argparse
import json
import os
import secrets
import statistics
import sys
import time
from pathlib import Path
from typing import Any

import django

from devstack.application import application_environment
from devstack.stack import Stack

ROUNDS = 60
COUNTS = (100, 100_000)
MEASURED = ("take_ms", "open_ms", "open_cpu_ms")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.desk")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    arguments = parser.parse_args()
    sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tests"))  # makes the queues
    with Stack.temporary() as stack:
        os.environ.update(
            application_environment(
                stack.environment, web_port=0, secret_key=secrets.token_urlsafe(50)
            )
            | {"LOG_LEVEL": "WARNING", "ALLOWED_HOSTS": "testserver"}
        )
        django.setup()
        print(json.dumps(_measure(arguments.rounds), indent=2))


def _measure(rounds: int) -> dict[str, Any]:
    from django.core.management import call_command
    from django.test import Client

    from review_cases import make_user
    from review_queues import fill

    call_command("migrate", verbosity=0)
    client = Client()
    client.force_login(make_user(group="Moderators"))
    figures: dict[str, Any] = {"rounds": rounds}
    filled = 0
    for count in COUNTS:
        fill(count - filled)
        filled = count
        for _ in range(5):
            _round(client)
        spent = zip(*(_round(client) for _ in range(rounds)), strict=True)
        medians = (round(1000 * statistics.median(one), 2) for one in spent)
        figures[str(count)] = dict(zip(MEASURED, medians, strict=True))
    short, long = (figures[str(count)] for count in COUNTS)
    figures["ratio"] = {name: round(long[name] / short[name], 2) for name in MEASURED}
    return figures


def _round(client: Any) -> tuple[float, float, float]:
    """Seconds to take the next item, to open its page, and of CPU of this process for that."""
    start = time.perf_counter()
    taken = client.post("/admin/review/take")
    middle, cpu = time.perf_counter(), time.process_time()
    page = client.get(taken["Location"])
    end, cpu = time.perf_counter(), time.process_time() - cpu
    assert page.status_code == 200
    assert "desk-decide" in page.content.decode()
    client.post(f"{taken['Location']}hand-back")
    return middle - start, end - middle, cpu


if __name__ == "__main__":
    main()
