"""`make demo`: the whole platform on this machine, and five prompts through it.

Ends at Ctrl-C, or with `--once` by itself: exit code 0 only if all five ended as they should.
"""

import argparse
import json
import os
import sys
import time
from pathlib import Path

import httpx
from rich.console import Console

from devstack import preflight
from devstack.application import ROOT, Application, application_environment, secret_key_of
from devstack.contact_sheet import contact_sheet
from devstack.errors import StackError
from devstack.ports import free_port
from devstack.processes import Supervisor
from devstack.prompts import PROMPTS, Submission, follow, mismatches, submit
from devstack.receiver import Receiver
from devstack.report import print_outcomes
from devstack.stack import Stack

console = Console(highlight=False)
LOCAL = ROOT / ".local"
SHEET = LOCAL / "demo" / "contact-sheet.png"
SHELL_VARIABLES = LOCAL / "demo" / "env"


def main() -> int:
    parser = argparse.ArgumentParser(prog="make demo", description=__doc__)
    parser.add_argument("--once", action="store_true", help="end by itself, for scripts")
    arguments = parser.parse_args()
    preflight.require(LOCAL, os.environ)
    try:
        return _run(once=arguments.once)
    except KeyboardInterrupt:
        console.print("Stopped.")
        return 0 if not arguments.once else 130
    except (StackError, httpx.HTTPError) as error:
        console.print(f"[red]{error}[/red]")
        return 1


def _run(*, once: bool) -> int:
    began = time.monotonic()
    console.print(
        "[bold]Ethical-Lens demo[/bold]\n"
        "The models are those of the [bold]miniature world[/bold]: small, trained on drawings, and "
        "run by the code that runs\nStable Diffusion. What is unsafe is drawn as harmless signs; "
        "docs/mini-world.md shows them.\n"
    )
    with Stack(LOCAL, os.environ) as stack, Supervisor() as supervisor:
        console.print("PostgreSQL, Redis and S3 are up.")
        web_port = int(os.environ.get("WEB_PORT") or free_port())
        environment = application_environment(
            stack.environment,
            web_port=web_port,
            secret_key=secret_key_of(LOCAL),
        )
        application = Application(supervisor, environment, stack.root / "logs")
        application.migrate()
        receiver_port = free_port()
        seeded = json.loads(
            application.command("-m", "devstack.seed", f"http://127.0.0.1:{receiver_port}/webhooks")
        )
        with Receiver(seeded["webhook_secret"], port=receiver_port) as receiver:
            application.start_all(web_port)
            base = f"http://127.0.0.1:{web_port}"
            console.print(f"Web, workers, dispatcher and beat are up ({_since(began)}).\n")
            submissions = _send_prompts(base, seeded["api_key"], receiver, began)
            good = _report(submissions)
            _print_addresses(base, seeded, application.logs)
            _write_shell_variables(base, seeded["api_key"])
            if once:
                return 0 if good else 1
            console.print("\nRunning until Ctrl-C.")
            supervisor.wait()
    return 0


def _send_prompts(base: str, key: str, receiver: Receiver, began: float) -> list[Submission]:
    with httpx.Client(
        base_url=base, headers={"Authorization": f"Bearer {key}"}, timeout=30
    ) as client:
        submissions = [submit(client, prompt) for prompt in PROMPTS]
        follow(client, submissions, receiver, console)
    first = min((s.first_picture_at for s in submissions if s.first_picture_at), default=None)
    if first is not None:
        console.print(f"\nThe first picture was out {first - began:.1f} s after the start.")
    return submissions


def _report(submissions: list[Submission]) -> bool:
    print_outcomes(console, submissions)
    contact_sheet([(s.prompt.text, s.job, s.images) for s in submissions], SHEET)
    console.print(f"Contact sheet: {SHEET}")
    wrong = [f"{s.prompt.text!r}: {line}" for s in submissions for line in mismatches(s)]
    for line in wrong:
        console.print(f"[red]not as it should be: {line}[/red]")
    if not wrong:
        console.print("[green]All five ended as they should.[/green]")
    return not wrong


def _print_addresses(base: str, seeded: dict[str, str], logs: Path) -> None:
    console.print(
        f"\nAPI docs   {base}/api/v1/docs\n"
        f"API key    {seeded['api_key']}\n"
        f"Admin      {base}/admin/  ({seeded['admin']} / {seeded['password']}, shown once)\n"
        f"Playground {base}/playground/  (same sign-in)\n"
        f"Health     {base}/readyz\n"
        f"Logs       {logs}",
        soft_wrap=True,
    )


def _write_shell_variables(base: str, key: str) -> None:
    """What the README's `curl` example reads: `. .local/demo/env`."""
    SHELL_VARIABLES.touch(mode=0o600)
    SHELL_VARIABLES.write_text(f"ETHICAL_LENS_URL={base}\nETHICAL_LENS_KEY={key}\n")


def _since(began: float) -> str:
    return f"{time.monotonic() - began:.1f} s"


if __name__ == "__main__":
    sys.exit(main())
