"""`ethical-lens generate`: pictures of one prompt, with a report of every step."""

import argparse
import json
import random
import secrets
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tqdm import tqdm

from ethical_lens.console.inputs import (
    InputError,
    add_models,
    add_policy,
    read_policy,
    whole_number,
)

if TYPE_CHECKING:
    from ethical_lens.lens import Generation, LensPicture

REPORT, SHEET = "report.json", "contact-sheet.png"


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """The options of `generate`."""
    parser = commands.add_parser("generate", help="align a prompt, paint it, scrutinise")
    parser.add_argument("prompt")
    parser.add_argument("-n", type=whole_number(1, 64), default=1, help="pictures (default: 1)")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="new or empty")
    parser.add_argument("--negative-prompt", default="")
    parser.add_argument(
        "--seed",
        type=whole_number(0, 2**62),
        help="of the first picture and of the draw (default: by chance, see the report)",
    )
    add_models(parser)
    parser.add_argument("--pipeline", help="of the models (default: their first)")
    parser.add_argument("--lora", default="", help="LoRA weights by name, if the policy allows it")
    add_policy(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Write what may be shown, the contact sheet and the report; 0 whatever was held back."""
    out, policy = arguments.out, read_policy(arguments.policy)
    if out.exists() and not out.is_dir():
        raise InputError(f"--out {out}: is no folder")
    if out.exists() and any(out.iterdir()):
        raise InputError(f"--out {out}: is not empty; name a new folder")

    # Torch and all that needs it, when nothing on the command line is wrong.
    from ethical_lens.console.contact_sheet import contact_sheet
    from ethical_lens.console.quiet import quiet_libraries
    from ethical_lens.lens import EthicalLens

    quiet_libraries()
    seed = secrets.randbelow(2**32) if arguments.seed is None else arguments.seed
    lens = EthicalLens.load(
        arguments.models,
        policy,
        pipeline=arguments.pipeline,
        rng=random.Random(seed),  # noqa: S311 - a draw that can be repeated, not a secret
    )
    with tqdm(unit=" steps", desc="painting") as progress:

        def on_step(round: int, step: int, total: int) -> None:
            progress.set_description("painting" if round == 1 else "painting again", refresh=False)
            # Set, not counted: both can change where a batch is painted in parts.
            progress.total, progress.n = total, step
            progress.refresh()

        done = lens.generate(
            arguments.prompt,
            arguments.n,
            negative_prompt=arguments.negative_prompt,
            seed=seed,
            lora=arguments.lora,
            on_step=on_step,
        )
    out.mkdir(parents=True, exist_ok=True)
    shown = {name_of(i): p for i, p in enumerate(done.pictures) if p.image is not None}
    for name, picture in shown.items():
        assert picture.image is not None
        picture.image.save(out / name)
    if done.pictures:
        contact_sheet(arguments.prompt, done).save(out / SHEET)
    document = {
        "prompt": arguments.prompt,
        "negative_prompt": arguments.negative_prompt,
        "seed": seed,
        "painting": lens.painting | {"lora": arguments.lora},
        **report(done),
        "models": lens.digests(),
        "policy": policy.model_dump(),
    }
    (out / REPORT).write_text(json.dumps(document, indent=2, default=sorted) + "\n", "utf-8")
    print(_summary(done, len(shown), out), file=sys.stderr)
    return 0


def name_of(number: int) -> str:
    """The file of picture `number`."""
    return f"{number:04}.png"


def report(done: "Generation") -> dict[str, Any]:
    """The verdict, and each picture with its rounds; its `file` is null where it is not shown."""
    return {
        "verdict": done.verdict.model_dump(),
        "pictures": [
            {
                "file": name_of(i) if picture.image is not None else None,
                "seed": picture.seed,
                "action": picture.outcome.final.action,
                "reason": picture.outcome.final.reason,
                "rounds": [_round(one) for one in (picture.before, picture) if one is not None],
            }
            for i, picture in enumerate(done.pictures)
        ],
    }


def _round(picture: "LensPicture") -> dict[str, Any]:
    return {
        "round": picture.round,
        "prompt": picture.prompt,
        "draws": [draw.model_dump() for draw in picture.draws],
        "blurred": picture.outcome.blurred is not None,
        "edited": picture.outcome.edited is not None,
        "first": picture.outcome.first.model_dump(),
        "final": picture.outcome.final.model_dump(),
    }


def _summary(done: "Generation", shown: int, out: Path) -> str:
    if not done.pictures:
        return f"{out}: blocked, nothing was painted. {done.verdict.explanation}"
    held = len(done.pictures) - shown
    rest = f", {held} held back (see {REPORT})" if held else ""
    return f"{out}: {shown} of {len(done.pictures)} pictures{rest}"
