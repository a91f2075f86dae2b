"""Pages of staff: runs of evaluations, and the report of each."""

from typing import Any

from django.contrib import admin
from django.contrib.auth.decorators import permission_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from moderation.evaluations import (
    ReportMissing,
    report_picture,
    report_pictures,
    report_read,
    runs,
)

_PERMISSION = "moderation.view_policyversion"


@require_safe
@permission_required(_PERMISSION, raise_exception=True)
def evaluation_runs(request: HttpRequest) -> HttpResponse:
    """All runs in the folder of evaluations."""
    return _page(request, "moderation/evaluations.html", title="Evaluations", runs=runs())


@require_safe
@permission_required(_PERMISSION, raise_exception=True)
def evaluation_report(request: HttpRequest, name: str) -> HttpResponse:
    """The report of one run."""
    try:
        report = report_read(name)
        tables, pictures = report.tables, report_pictures(name)
    except ReportMissing as error:
        raise Http404(str(error)) from error
    return _page(
        request, "moderation/evaluation.html",
        title=f"Evaluation {name}", name=name, tables=tables, pictures=pictures,
        sha256=report.sha256,
    )  # fmt: skip


@require_safe
@permission_required(_PERMISSION, raise_exception=True)
def evaluation_picture(request: HttpRequest, name: str, file: str) -> HttpResponse:
    """A picture of a report."""
    try:
        response = HttpResponse(report_picture(name, file), content_type="image/png")
    except ReportMissing as error:
        raise Http404(str(error)) from error
    response["Cache-Control"] = "no-store"
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = "default-src 'none'"
    return response


def _page(request: HttpRequest, template: str, **context: Any) -> HttpResponse:
    return render(request, template, admin.site.each_context(request) | context)
