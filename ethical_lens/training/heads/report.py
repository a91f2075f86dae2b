"""The report of a run: `report.md` for people, `report.json`, `parts.csv`, and the curves."""

import csv
import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ethical_lens.results import Concept
from ethical_lens.training.heads.judged import Figures, JudgedHead
from ethical_lens.training.heads.majority import LeftOut
from ethical_lens.training.heads.measures import FEWEST, Measured, Share
from ethical_lens.training.heads.parts import SHARES, Part
from ethical_lens.training.heads.plots import write_curves
from ethical_lens.training.heads.run import HEADS, POLICY, Done


def write_report(done: Done) -> Path:
    """Write the report into the folder of the run; the file that people read."""
    out = done.task.out
    for one in done.heads:
        write_curves(one, out)
    text = json.dumps(as_json(done), indent=2)
    (out / "report.json").write_text(text + "\n", encoding="utf-8")
    _write_parts(done, out / "parts.csv")
    file = out / "report.md"
    file.write_text(_markdown(done), encoding="utf-8")
    return file


def unreached(done: Done) -> list[str]:
    """A sentence for each concept without a threshold: what is reached, and what to do."""
    lines = []
    for one in done.heads:
        if one.threshold is not None:
            continue
        best = one.most_precise
        reached = (
            f"the best is {best.precision:.3f}, at recall {best.recall:.3f}. Label more pictures, "
            f"or ask for less: --precision {one.concept}={int(best.precision * 100) / 100:.2f}"
            if best
            else f"it has fewer than {FEWEST} pictures"
        )
        lines.append(
            f"{one.concept}: on the validation part no threshold that fires on {FEWEST} pictures "
            f"or more has a precision of {one.wished:g}; {reached}."
        )
    return lines


def as_json(done: Done) -> dict[str, Any]:
    """All figures, digests, seeds and counts, as JSON values."""
    task, settings = done.task, done.task.settings
    return {
        "settings": {
            "pictures": str(task.pictures),
            "labels": str(task.labels),
            "steps": settings.steps,
            "rate": settings.rate,
            "batch": settings.batch,
            "seed": settings.seed,
            "parts": {part.value: share for part, share in SHARES.items()},
        },
        "digests": {
            "labels": done.table,
            "encoder": done.encoder,
            **{f"heads/{one.concept}": one.digest for one in done.heads},
        },
        "encoder": task.sources.clip.architecture,
        "pictures": {
            "named": len(done.found.contents) + len(done.found.bad),
            "copies": len(done.found.contents) - len({*done.found.contents.values()}),
            "unreadable": done.found.bad,
            "encoded_now": done.encoded,
            "labelled": dict(Counter(part.value for part in done.parts.values())),
        },
        "concepts": {one.concept.value: _concept(one, done) for one in done.heads},
        "copied": [concept.value for concept in done.copied],
        "policy": POLICY if done.policy else None,
    }


def _concept(one: JudgedHead, done: Done) -> dict[str, Any]:
    labels = done.labels[one.concept]
    return {
        "labels": {
            part.value: {"yes": int(some.labels.sum()), "no": int((~some.labels).sum())}
            for part, some in one.scored.items()
        },
        "left_out": {why.name.lower(): labels.left_out.get(why, 0) for why in LeftOut},
        "contradictions": labels.contradictions,
        "agreement": labels.agreement,
        "trained_now": one.concept in done.trained,
        "step": one.checkpoint.step,
        "looks": [vars(look) for look in one.checkpoint.looks],
        "calibration": vars(one.calibration) if one.calibration else None,
        "wished_precision": one.wished,
        "threshold": one.threshold.threshold if one.threshold else None,
        "most_precise": vars(one.most_precise) if one.most_precise else None,
        **{part.value: _figures(figures) for part, figures in one.figures.items()},
    }


def _figures(found: Figures) -> dict[str, Any]:
    return {
        name: _plain(value) if isinstance(value, Share | Measured) else value
        for name, value in vars(found).items()
    }


def _plain(value: Share | Measured) -> dict[str, Any]:
    plain: dict[str, Any] = {"value": value.value, "interval": value.interval}
    if isinstance(value, Share):
        plain |= {"hits": value.hits, "count": value.count}
    return plain


def _write_parts(done: Done, file: Path) -> None:
    concepts = list(done.labels)
    with file.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(["picture", "content", "part", *concepts])
        for name, content in sorted(done.found.contents.items()):
            if content in done.parts:
                cells = [_cell(done.labels[concept].shown.get(content)) for concept in concepts]
                writer.writerow([name, content, done.parts[content], *cells])


def _cell(label: bool | None) -> str:
    return "" if label is None else str(int(label))


def _markdown(done: Done) -> str:
    task, settings, bad = done.task, done.task.settings, done.found.bad
    sections = [
        "# Heads\n",
        f"Encoder {task.sources.clip.architecture}; seed {settings.seed}; {settings.steps} steps "
        f"of {settings.batch} rows at rate {settings.rate:g}.\n",
        "Intervals are 95 %. The validation part chose step, calibration and threshold, so its "
        "figures are too good; nothing was chosen by the test part. docs/training-heads.md "
        "defines every figure.\n",
        *(f"**{line}** `{POLICY}` was not written.\n" for line in unreached(done)),
        "## On the test part\n",
        _table(
            ("head", "pictures (yes)", "threshold", "precision (wished)", "recall", "false alarms",
             "average precision", "calibration error (before)"),
            [_test_row(one) for one in done.heads],
        ),
        "## On the validation part\n",
        _table(
            ("head", "pictures (yes)", "precision", "recall", "step", "scale, shift"),
            [_validation_row(one) for one in done.heads],
        ),
        "## Labels\n",
        _table(
            ("head", *(f"{part}: yes / no" for part in Part), *(why.value for why in LeftOut),
             "raters who contradict themselves", "agreement"),
            [_label_row(one, done) for one in done.heads],
        ),
        _pictures(done),
        *(f"## {name}\n\n![curves of {name}]({name}.png)\n" for name in done.labels),
        "## Files\n",
        _files(done),
    ]  # fmt: skip
    if bad:
        sections += ["## Unreadable pictures\n", _table(("picture", "why"), sorted(bad.items()))]
    return "\n".join(sections)


def _test_row(one: JudgedHead) -> tuple[str, ...]:
    found = one.figures[Part.TEST]
    return (
        one.concept, f"{found.pictures} ({found.yes})",
        f"{one.threshold.threshold:.4f}" if one.threshold else "not reached",
        f"{_said(found.precision)} ({one.wished:g})", _said(found.recall),
        _said(found.false_alarms), _said(found.average_precision),
        f"{_said(found.calibration_error)} ({found.calibration_error_before:.3f})",
    )  # fmt: skip


def _validation_row(one: JudgedHead) -> tuple[str, ...]:
    found, line = one.figures[Part.VALIDATION], one.calibration
    return (
        one.concept, f"{found.pictures} ({found.yes})", _said(found.precision), _said(found.recall),
        f"{one.checkpoint.step}",
        f"{line.scale:.3f}, {line.shift:.3f}" if line else "not calibrated: no better than chance",
    )  # fmt: skip


def _label_row(one: JudgedHead, done: Done) -> tuple[str, ...]:
    labels = done.labels[one.concept]
    counts = [
        f"{int(some.labels.sum())} / {int((~some.labels).sum())}" for some in one.scored.values()
    ]
    agreement = "none" if labels.agreement is None else f"{labels.agreement:.3f}"
    left_out = [str(labels.left_out.get(why, 0)) for why in LeftOut]
    return (one.concept, *counts, *left_out, str(labels.contradictions), agreement)


def _pictures(done: Done) -> str:
    found = done.found
    copies = len(found.contents) - len({*found.contents.values()})
    return (
        f"{len(found.contents) + len(found.bad)} pictures are named, {len(found.bad)} of them "
        f"unreadable and {copies} copies of another by content; {len(done.parts)} have a label. "
        f"{done.encoded} were encoded in this run.\n"
    )


def _files(done: Done) -> str:
    missing = [
        concept.value
        for concept in Concept
        if concept not in done.copied and concept not in done.labels
    ]
    rows = [(f"`{HEADS}/{one.concept}.safetensors`", f"`{one.digest}`") for one in done.heads]
    rows += [
        (f"`{HEADS}/{concept}`", "copied from the models, not trained") for concept in done.copied
    ]
    rows += [(f"`{HEADS}/{name}`", "**missing: scrutiny needs all five**") for name in missing]
    rows += [("encoder", f"`{done.encoder}`"), (str(done.task.labels), f"`{done.table}`")]
    return _table(("file", "digest"), rows)


def _table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [f"| {' | '.join(columns)} |", "|---" * len(columns) + "|"]
    lines += [f"| {' | '.join(_escaped(cell) for cell in row)} |" for row in rows]
    return "\n".join(lines) + "\n"


def _escaped(cell: str) -> str:
    return cell.replace("|", "\\|").replace("\n", " ")


def _said(figure: Share | Measured | None) -> str:
    if figure is None or figure.value is None or figure.interval is None:
        return "not measured"
    low, high = figure.interval
    return f"{figure.value:.3f} [{low:.3f}, {high:.3f}]"
