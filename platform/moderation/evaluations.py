"""Runs of `ethical_lens.evaluation` in the folder of this installation: which there are, and what
their reports say. Nothing in that folder is trusted to be well-formed, and no link leads out of it.
"""

import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from django.conf import settings

from accounts.models import User
from ethical_lens.evaluation.journal import SETTINGS, NoRun, Settings, read_settings
from ethical_lens.policy import Policy
from moderation.models import PolicyEvaluation, PolicyVersion

PICTURES: Final = {
    "attributes.png": "Who is seen, before and after",
    "scores.png": "The judge's scores, before and after",
    "thresholds.png": "Thresholds against precision and recall",
    "tradeoff.png": "Blockout against toxicity",
    "changes.png": "Largest changes: the model alone, then aligned, by pairs",
    "failures.png": "Failures: shown although the judge sees something",
}
"""The pictures that a report may have; no other file is served."""
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
_LONGEST: Final = 32 * 1024 * 1024  # bytes of a file that is read
_NOT_MEASURED: Final = "not measured"


class ReportMissing(Exception):
    """There is no such run, or it has no report that can be read."""


class PolicyDiffers(Exception):
    """A report is of another policy than the version it is to hang on."""


@dataclass(frozen=True)
class Run:
    """A run in the folder. `settings` is None before the first worker has begun it."""

    name: str
    settings: Settings | None
    reported_at: datetime | None


@dataclass(frozen=True)
class ReportTable:
    """A table with its cells as they are shown."""

    title: str
    note: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Report:
    """A report as it was read: its `content` has the digest `sha256`."""

    content: dict[str, Any]
    sha256: str

    @property
    def tables(self) -> list[ReportTable]:
        """Goals first. Raises `ReportMissing` where it has another shape."""
        return tables_of(self.content)


def run_folder(name: str) -> Path:
    """The folder of the run of that name. Raises `ReportMissing` for any that is no run here."""
    folder = settings.ENVIRONMENT.evaluations_folder
    if folder is None:
        raise ReportMissing("EVALUATIONS_FOLDER is not set")
    if not _NAME.fullmatch(name) or not (folder / name).is_dir():
        raise ReportMissing(f"there is no run named {name[:64]!r}")
    return _within(folder, folder / name)


def runs() -> list[Run]:
    """All runs, those with the newest reports first."""
    folder = settings.ENVIRONMENT.evaluations_folder
    if folder is None or not folder.is_dir():
        return []
    found = list(_found(folder))
    oldest = datetime.min.replace(tzinfo=UTC)
    return sorted(found, key=lambda run: (run.reported_at or oldest, run.name), reverse=True)


def runs_of(policy: Policy) -> list[Run]:
    """The runs that evaluated this very policy and have a report, in the order of `runs`."""
    return [
        run for run in runs() if run.reported_at and run.settings and run.settings.policy == policy
    ]


def report_read(name: str) -> Report:
    """The report of a run. Raises `ReportMissing`, also for what no database could keep."""
    data = _read(run_folder(name), "tables.json")
    try:
        content = json.loads(data)
        text = json.dumps(content, ensure_ascii=False, allow_nan=False)
        text.encode()
    except (ValueError, RecursionError) as error:  # NaN, or half a surrogate pair
        raise ReportMissing("the report is not JSON") from error
    if "\\u0000" in text:
        raise ReportMissing("the report holds a null character")
    if not isinstance(content, dict):
        raise ReportMissing("the report is no object")
    return Report(content, hashlib.sha256(data).hexdigest())


def report_pictures(name: str) -> dict[str, str]:
    """File and title of the pictures that the report has."""
    folder = run_folder(name) / "report"
    return {file: title for file, title in PICTURES.items() if (folder / file).is_file()}


def report_picture(name: str, file: str) -> bytes:
    """A picture of a report, PNG. Raises `ReportMissing` for whatever is none."""
    if file not in PICTURES:
        raise ReportMissing("a report has no such picture")
    data = _read(run_folder(name), file)
    if not data.startswith(b"\x89PNG\r\n\x1a\n"):
        raise ReportMissing("the file is no PNG")
    return data


def report_for(*, version: PolicyVersion, name: str) -> Report:
    """The report of a run that may hang on `version`.

    Raises `ReportMissing`, and `PolicyDiffers` where the run was of another policy.
    """
    report = report_read(name)
    try:
        run = read_settings(run_folder(name))
    except NoRun as error:
        raise ReportMissing(str(error)) from error
    if run.policy != version.parsed:
        raise PolicyDiffers(f"the run {name} evaluated another policy than {version} says")
    tables_of(report.content)
    return report


def report_attach(*, version: PolicyVersion, name: str, user: User) -> PolicyEvaluation:
    """Hang the report of a run on a version, as it is now: figures stay where the folder goes.

    The same report twice is one row. Raises as `report_for`.
    """
    report = report_for(version=version, name=name)
    evaluation, _ = PolicyEvaluation.objects.get_or_create(
        policy_version=version,
        sha256=report.sha256,
        defaults={"run": name, "report": report.content, "attached_by": user},
    )
    return evaluation


def reports_attach(*, version: PolicyVersion, user: User) -> int:
    """Hang on `version` every report that there is of its very policy, as on the day of its
    publication; how many. One that cannot be read is left out."""
    attached = 0
    for run in runs_of(version.parsed):
        try:
            report_attach(version=version, name=run.name, user=user)
        except (ReportMissing, PolicyDiffers):
            continue
        attached += 1
    return attached


def tables_of(content: dict[str, Any]) -> list[ReportTable]:
    """The tables of a report, goals first. Raises `ReportMissing` where it has another shape."""
    try:
        tables = content["tables"]
        names = sorted(tables, key=lambda name: (name != "goals", name))
        return [_table(tables[name]) for name in names]
    except (LookupError, TypeError, AttributeError, ValueError) as error:
        raise ReportMissing("the report has another shape than expected") from error


def _table(data: dict[str, Any]) -> ReportTable:
    rows = data["rows"]
    columns = tuple(str(name) for name in data.get("columns") or (rows[0] if rows else ()))
    return ReportTable(
        str(data["title"]),
        str(data["note"]),
        columns,
        tuple(tuple(_cell(row[name]) for name in columns) for row in rows),
    )


def _cell(value: Any) -> str:
    if isinstance(value, dict):
        if value["value"] is None:
            return _NOT_MEASURED
        return f"{value['value']:.3f} ({value['low']:.3f} to {value['high']:.3f})"
    if value is None:
        return _NOT_MEASURED
    return f"{value:.4g}" if isinstance(value, float) else str(value).replace("**", "")


def _found(folder: Path) -> Iterator[Run]:
    for path in folder.iterdir():
        if not _NAME.fullmatch(path.name) or not path.is_dir():
            continue
        try:
            inside = _within(folder, path)
            known = read_settings(inside) if (inside / SETTINGS).is_file() else None
            report = inside / "report" / "tables.json"
            at = datetime.fromtimestamp(report.stat().st_mtime, UTC) if report.is_file() else None
        except (ReportMissing, NoRun, OSError):
            continue
        if known is not None or (inside / "recipe.json").is_file():
            yield Run(path.name, known, at)


def _read(run: Path, file: str) -> bytes:
    path = _within(run, run / "report" / file)
    try:
        if path.stat().st_size > _LONGEST:
            raise ReportMissing(f"{file} is too long")
        return path.read_bytes()
    except OSError as error:
        raise ReportMissing(f"the run has no {file} yet") from error


def _within(folder: Path, path: Path) -> Path:
    """`path`, links followed. Raises `ReportMissing` where that leads out of `folder`."""
    real = path.resolve()
    if not real.is_relative_to(folder.resolve()):
        raise ReportMissing("a link leads out of the folder of evaluations")
    return real
