"""The demo's report: for each prompt what was said, used, seen and sent."""

import json

from rich.console import Console

from devstack.prompts import Submission


def print_outcomes(console: Console, submissions: list[Submission]) -> None:
    """Label, explanation, prompts really used, verdicts with scores, links, webhook."""
    for submission in submissions:
        job, text = submission.job, submission.job["text"] or {}
        console.rule(f"[bold]{submission.prompt.text}[/bold]", align="left")
        console.print(
            f"outcome      {job['status']} ({job['reason']}): {job['explanation']}\n"
            f"label        {', '.join(text.get('labels', []))}  "
            f"factors {', '.join(text.get('factors', [])) or 'none'}  "
            f"toxicity {text.get('score', 0):.2f}\n"
            f"explanation  {text.get('explanation', '')}",
            soft_wrap=True,
        )
        for picture in submission.pictures:
            scores = "  ".join(f"{name} {value:.2f}" for name, value in picture["scores"].items())
            console.print(
                f"picture {picture['index']}    {picture['status']} ({picture['reason']})  "
                f"[dim]{scores}[/dim]",
                soft_wrap=True,
            )
            if picture["prompt"]:
                console.print(f"             painted from: {picture['prompt']}", soft_wrap=True)
            if picture["url"]:
                console.print(f"             {picture['url']}", soft_wrap=True, style="dim")
        for decision in submission.decisions:
            about = "" if decision["picture"] is None else f" picture {decision['picture']}"
            console.print(
                f"decision     {decision['stage']}{about}: {decision['action']} "
                f"({decision['reason']}), policy {decision['policy']}"
            )
        if submission.webhook is not None:
            hook = submission.webhook
            console.print(
                f"webhook      {hook.payload['type']}, webhook-id {hook.id}, signature "
                f"{'verified' if hook.verified else 'NOT VALID'}\n"
                f"             [dim]{json.dumps(hook.payload)}[/dim]",
                soft_wrap=True,
            )
        console.print()
