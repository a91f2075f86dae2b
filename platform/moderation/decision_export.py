"""The record, for a time, as JSON Lines or CSV: read page by page, so that memory stays bounded."""

import csv
import io
import json
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from asgiref.sync import sync_to_async

from config.identifiers import uuid7_first
from moderation.models import Decision, Report
from moderation.statement_of_reasons import FIELDS as STATEMENT_FIELDS
from moderation.statement_of_reasons import VISIBILITY, statement_of_reasons

PAGE: Final = 500
"""Decisions in memory at once."""
COLUMNS: Final = (
    "id", "created_at", "tenant", "job", "picture", "stage", "round", "actor", "actor_id",
    "action", "reason", "explanation", "labels", "factors", "findings", "scores", "thresholds",
    "faces", "model_digests", "object_digest", "policy", "policy_version", "replaces",
    "replaced_by",
)  # fmt: skip
_UNREAD = (
    "job__prompt", "job__negative_prompt", "job__text_verdict", "picture__prompt",
    "picture__draws", "policy_version__document",
)  # fmt: skip
_RESTRICTING = [str(action) for action in VISIBILITY]


@dataclass(frozen=True, slots=True)
class ExportRange:
    """Decisions made from `since` to before `until`, of all tenants or of one."""

    since: datetime
    until: datetime
    tenant_id: UUID | None = None

    def page(self, after: UUID | None) -> list[Decision]:
        """The next decisions after that one, oldest first; at most `PAGE`."""
        # Ids are UUIDv7: those of a time are a range of the primary key.
        decisions = Decision.objects.filter(id__lt=uuid7_first(self.until))
        if after is None:
            decisions = decisions.filter(id__gte=uuid7_first(self.since))
        else:
            decisions = decisions.filter(id__gt=after)
        if self.tenant_id is not None:
            decisions = decisions.filter(tenant=self.tenant_id)
        related = ("tenant", "job", "picture", "policy_version__policy", "replaces")
        return list(decisions.order_by("id").select_related(*related).defer(*_UNREAD)[:PAGE])


@dataclass(frozen=True, slots=True)
class Format:
    """How rows are written: `begin` once, then `write` per page."""

    content_type: str
    begin: str
    write: Callable[[Iterable[Mapping[str, Any]]], str]


def export_records(decisions: list[Decision]) -> Iterator[dict[str, Any]]:
    """Each decision with what it replaces, what replaced it, and its statement of reasons."""
    # Of several, the last; one that restricts as well does not end a restriction.
    replacing = {
        decision.replaces_id: decision
        for decision in Decision.objects.filter(replaces__in=decisions).order_by("id")
    }
    notices: dict[UUID, list[str]] = {}
    answered = Report.objects.filter(answer__in=decisions).order_by("id")
    for answer_id, reason in answered.values_list("answer_id", "reason"):
        if answer_id is not None and reason not in notices.setdefault(answer_id, []):
            notices[answer_id].append(reason)
    for decision in decisions:
        later = replacing.get(decision.id)
        ended = later if later and later.action not in _RESTRICTING else None
        yield {
            "id": str(decision.id),
            "created_at": decision.created_at.isoformat(),
            "tenant": decision.tenant.slug,
            "job": str(decision.job_id),
            "picture": decision.picture.index if decision.picture else None,
            "stage": decision.stage,
            "round": decision.round,
            "actor": "person" if decision.actor_id else "system",
            "actor_id": str(decision.actor_id) if decision.actor_id else None,
            "action": decision.action,
            "reason": decision.reason,
            "explanation": decision.explanation,
            "labels": decision.labels,
            "factors": decision.factors,
            "findings": decision.findings,
            "scores": decision.scores,
            "thresholds": decision.thresholds,
            "faces": decision.faces,
            "model_digests": decision.model_digests,
            "object_digest": decision.object_digest,
            "policy": str(decision.policy_version),
            "policy_version": str(decision.policy_version_id),
            "replaces": str(decision.replaces_id) if decision.replaces_id else None,
            "replaced_by": str(later.id) if later else None,
            "statement_of_reasons": statement_of_reasons(
                decision, ended, notices.get(decision.id, ())
            ),
        }


def export_text(range: ExportRange, format: Format) -> Iterator[str]:
    """The export in pieces, a page each."""
    yield format.begin
    after = None
    while page := range.page(after):
        yield format.write(export_records(page))
        after = page[-1].id


async def export_stream(range: ExportRange, format: Format) -> AsyncIterator[str]:
    """The same for an answer under ASGI, which would gather a plain iterator in memory."""
    pieces = export_text(range, format)
    while (piece := await sync_to_async(_next)(pieces)) is not None:
        yield piece


def _next(pieces: Iterator[str]) -> str | None:
    return next(pieces, None)


def _as_lines(records: Iterable[Mapping[str, Any]]) -> str:
    return "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records)


def _as_csv(records: Iterable[Mapping[str, Any]]) -> str:
    out = io.StringIO()
    writer = csv.writer(out)
    for record in records:
        statement = record["statement_of_reasons"] or {}
        cells = [record[name] for name in COLUMNS] + [statement.get(n) for n in STATEMENT_FIELDS]
        writer.writerow([_cell(value) for value in cells])
    return out.getvalue()


def _cell(value: Any) -> str:
    """A cell's text; what a spreadsheet would take for a formula is quoted.

    https://owasp.org/www-community/attacks/CSV_Injection
    """
    if value is None:
        return ""
    text = json.dumps(value, ensure_ascii=False) if isinstance(value, list | dict) else str(value)
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text


_HEADER: Final = ",".join([*COLUMNS, *STATEMENT_FIELDS]) + "\r\n"
FORMATS: Final[Mapping[str, Format]] = {
    "jsonl": Format("application/jsonl", "", _as_lines),
    "csv": Format("text/csv; charset=utf-8", _HEADER, _as_csv),
}
