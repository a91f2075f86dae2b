"""The page from which decisions are exported, and the export."""

from datetime import datetime
from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.auth.decorators import permission_required
from django.http import HttpRequest, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.acts import act_log
from accounts.models import Tenant, User
from moderation.decision_export import FORMATS, ExportRange, export_stream
from moderation.models import Decision


class ExportForm(forms.Form):
    """Which decisions, and in which format."""

    since = forms.DateTimeField(
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}), help_text="UTC, included"
    )
    until = forms.DateTimeField(
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}), help_text="UTC, not included"
    )
    tenant = forms.ModelChoiceField(
        Tenant.objects.order_by("name"), required=False, empty_label="all tenants"
    )
    format = forms.ChoiceField(choices=[("jsonl", "JSON Lines"), ("csv", "CSV")])

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        since, until = cleaned.get("since"), cleaned.get("until")
        if since and until and since >= until:
            self.add_error("until", "The end must come after the start.")
        return cleaned

    @property
    def range(self) -> ExportRange:
        tenant = self.cleaned_data["tenant"]
        since: datetime = self.cleaned_data["since"]
        return ExportRange(since, self.cleaned_data["until"], tenant.id if tenant else None)


@require_safe
@permission_required("moderation.export_decisions", raise_exception=True)
def decisions_export(request: HttpRequest) -> HttpResponseBase:
    """The form; where it is filled in, the file, written while it is read from the database.

    Who takes it, and which, is recorded before the first line leaves.
    """
    form = ExportForm(request.GET if request.GET else None)
    if not form.is_valid():
        context = admin.site.each_context(request) | {"title": "Export decisions", "form": form}
        status = 400 if form.is_bound else 200
        return render(request, "moderation/decisions_export.html", context, status=status)
    wanted, name = form.range, form.cleaned_data["format"]
    assert isinstance(request.user, User)  # the permission lets nobody else in
    about = f"{wanted.since:%Y-%m-%d %H:%M} to {wanted.until:%Y-%m-%d %H:%M}"
    whose = form.cleaned_data["tenant"] or "all tenants"
    act_log(by=request.user, of=Decision, about=about, message=f"Exported as {name}: {whose}.")
    answer = StreamingHttpResponse(
        export_stream(wanted, FORMATS[name]), content_type=FORMATS[name].content_type
    )
    file = f"decisions-{wanted.since:%Y%m%dT%H%M}-{wanted.until:%Y%m%dT%H%M}.{name}"
    answer["Content-Disposition"] = f'attachment; filename="{file}"'
    answer["Cache-Control"] = "no-store"
    answer["X-Accel-Buffering"] = "no"
    return answer
