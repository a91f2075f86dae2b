"""Reports that hang on versions of policies: attached once, then read."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from config.admin import ModelAdmin, ReadOnlyInline
from moderation.evaluations import (
    PolicyDiffers,
    ReportMissing,
    report_attach,
    report_for,
    runs,
    tables_of,
)
from moderation.models import PolicyEvaluation, PolicyVersion


class AttachForm(forms.ModelForm):  # type: ignore[type-arg]
    """Which run's report hangs on which version."""

    run = forms.ChoiceField(help_text="A run that has a report, of the very policy of the version.")

    class Meta:
        model = PolicyEvaluation
        fields = ("policy_version", "run")

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        if "run" in self.fields:
            self.fields["run"].choices = [  # type: ignore[attr-defined]
                (run.name, run.name) for run in runs() if run.reported_at
            ]

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or self.cleaned_data
        if not self.errors:
            try:
                report_for(version=data["policy_version"], name=data["run"])
            except (ReportMissing, PolicyDiffers) as error:
                raise forms.ValidationError(f"Nothing was attached: {error}.") from None
        return data


class PolicyEvaluationInline(ReadOnlyInline):
    model = PolicyEvaluation
    fields = ("run", "sha256", "attached_by", "created_at")
    ordering = ("-id",)
    verbose_name_plural = "evaluations"


@admin.register(PolicyEvaluation)
class PolicyEvaluationAdmin(ModelAdmin):
    """The database refuses to change what was attached."""

    form = AttachForm
    list_display = ("__str__", "policy_version", "attached_by", "created_at")
    list_filter = ("policy_version__policy",)
    list_select_related = ("policy_version__policy", "attached_by")
    ordering = ("-id",)
    change_form_outer_after_template = "moderation/attached_report.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[PolicyEvaluation]:
        evaluations: QuerySet[PolicyEvaluation] = super().get_queryset(request)
        return evaluations.defer("report")  # lists show none, and it may be large

    def get_fields(self, request: HttpRequest, obj: PolicyEvaluation | None = None) -> Any:
        if obj is None:
            return ("policy_version", "run")
        return ("policy_version", "run", "sha256", "attached_by", "created_at", "page")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return ("page",) if obj else ()

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        wanted = str(request.GET.get("policy_version", ""))
        versions = PolicyVersion.objects.all()
        return {"policy_version": next((v for v in versions if str(v.pk) == wanted), None)}

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        attached = report_attach(
            version=form.cleaned_data["policy_version"],
            name=form.cleaned_data["run"],
            user=request.user,  # type: ignore[arg-type]
        )
        for field in PolicyEvaluation._meta.concrete_fields:
            setattr(obj, field.attname, getattr(attached, field.attname))

    def render_change_form(
        self, request: HttpRequest, context: Any, *args: Any, **options: Any
    ) -> Any:
        obj = options.get("obj")
        context["report_tables"] = tables_of(obj.report) if obj else []
        return super().render_change_form(request, context, *args, **options)

    def has_change_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False

    @admin.display(description="the run's page")
    def page(self, evaluation: PolicyEvaluation) -> SafeString:
        address = reverse("moderation:evaluation_report", args=[evaluation.run])
        return format_html('<a href="{}">{}</a>', address, evaluation.run)
