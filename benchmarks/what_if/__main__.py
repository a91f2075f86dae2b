"""What-if over many pictures: `python -m benchmarks.what_if --pictures 100000`.

A throw-away PostgreSQL, filled by SQL. How long the page takes to count, and how long all changes
take as rows of the CSV. A record goes to stdout as JSON.
"""

import argparse
import json
import os
import platform
import resource
import secrets
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import django
from django.core.management import call_command
from django.utils import timezone

from devstack.application import application_environment
from devstack.ports import free_port
from devstack.stack import Stack


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.what_if")
    parser.add_argument("--pictures", type=int, default=100_000)
    parser.add_argument("--repeats", type=int, default=3)
    arguments = parser.parse_args()
    with Stack.temporary() as stack:
        os.environ.update(
            application_environment(
                stack.environment, web_port=free_port(), secret_key=secrets.token_urlsafe(50)
            )
        )
        django.setup()
        call_command("migrate", verbosity=0)
        print(json.dumps(_measure(arguments.pictures, arguments.repeats), indent=2))


def _measure(pictures: int, repeats: int) -> dict[str, Any]:
    from accounts.models import Tenant
    from benchmarks.what_if.fill import fill
    from ethical_lens.policy import DEFAULT_CONCEPTS, FactorRule, HeadAction, Policy
    from ethical_lens.results import Concept, Factor, TextAction
    from moderation.models import Policy as PolicyRow
    from moderation.policies import policy_version_add
    from policies.what_if import what_if, what_if_rows

    version = policy_version_add(
        policy=PolicyRow.objects.create(name="bench"), document=Policy(), created_by=None
    )
    tenant = Tenant.objects.create(name="bench", slug="bench", policy_version=version)
    filled = _seconds(lambda: fill(tenant, pictures, timezone.now() - timedelta(days=1)))
    rules = dict(DEFAULT_CONCEPTS)
    rules[Concept.NUDE] = rules[Concept.NUDE].model_copy(update={"threshold": 0.4})
    rules[Concept.CULTURE] = rules[Concept.CULTURE].model_copy(update={"action": HeadAction.REVIEW})
    policy = Policy(
        concepts=rules,
        factors={Factor.VIOLENCE: FactorRule(threshold=0.8, action=TextAction.BLOCK)},
    )
    comparison = what_if(policy, days=7)
    return {
        "pictures": sum(one.number for one in comparison.changes("picture")),
        "prompts": sum(one.number for one in comparison.changes("prompt")),
        "flips": {name: comparison.flips(name) for name in ("picture", "prompt")},
        "fill seconds": filled,
        "page seconds": [_seconds(lambda: what_if(policy, days=7)) for _ in range(repeats)],
        "csv seconds": _seconds(lambda: sum(1 for _ in what_if_rows(policy, days=7))),
        "peak MB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        "python": platform.python_version(),
        "cores": os.cpu_count(),
    }


def _seconds(run: Callable[[], object]) -> float:
    begun = time.perf_counter()
    run()
    return round(time.perf_counter() - begun, 2)


if __name__ == "__main__":
    main()
