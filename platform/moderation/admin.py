"""The record: decisions, policies and their versions, and who looked at what."""

from typing import Any

from django.contrib import admin
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from config.admin import ModelAdmin, ReadOnlyAdmin, ReadOnlyInline
from ethical_lens.policy import Policy as PolicyDocument
from moderation.appeal_admin import AppealAdmin
from moderation.badges import badge
from moderation.evaluation_admin import PolicyEvaluationAdmin, PolicyEvaluationInline
from moderation.forms import PolicyVersionForm, newest_document
from moderation.models import Decision, Policy, PolicyVersion, RawPictureView
from moderation.policies import policy_version_add
from moderation.report_admin import ReportAdmin

__all__ = [
    "AppealAdmin",
    "DecisionAdmin",
    "PolicyAdmin",
    "PolicyEvaluationAdmin",
    "PolicyVersionAdmin",
    "RawPictureViewAdmin",
    "ReportAdmin",
]

admin.site.index_template = "moderation/dashboard.html"


@admin.register(Decision)
class DecisionAdmin(ReadOnlyAdmin):
    list_before_template = "moderation/decisions_before.html"
    list_display = ("created_at", "shown_action", "stage", "reason", "who", "tenant", "shown_job")
    list_filter = ("stage", "action", "reason", ("actor", admin.RelatedOnlyFieldListFilter))
    list_select_related = ("actor", "tenant", "picture")
    search_fields = ("job__id__icontains", "explanation")
    date_hierarchy = "created_at"
    ordering = ("-id",)

    @admin.display(description="action", ordering="action")
    def shown_action(self, decision: Decision) -> SafeString:
        return badge(decision.action)

    @admin.display(description="by")
    def who(self, decision: Decision) -> str:
        return str(decision.actor or "the system")

    @admin.display(description="job")
    def shown_job(self, decision: Decision) -> SafeString:
        return format_html(
            '<a href="{}"><code>…{}</code></a>{}',
            reverse("admin:jobs_job_change", args=[decision.job_id]),
            str(decision.job_id)[-8:],
            f", picture {decision.picture.index}" if decision.picture else "",
        )


class PolicyVersionInline(ReadOnlyInline):
    model = PolicyVersion
    fields = ("number", "created_by", "created_at")
    ordering = ("-number",)
    verbose_name_plural = "versions"


@admin.register(Policy)
class PolicyAdmin(ModelAdmin):
    """A policy is named once; what it says is added as versions."""

    list_display = ("name", "count_of_versions", "created_at")
    fields = ("name",)
    search_fields = ("name",)
    change_form_outer_before_template = "moderation/policy_add_version.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Policy]:
        policies: QuerySet[Policy] = super().get_queryset(request)
        return policies.annotate(count=Count("versions"))

    def get_inlines(self, request: HttpRequest, obj: Policy | None) -> list[Any]:
        return [PolicyVersionInline] if obj else []

    def has_change_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False

    @admin.display(description="versions", ordering="count")
    def count_of_versions(self, policy: Any) -> int:
        return int(policy.count)


@admin.register(PolicyVersion)
class PolicyVersionAdmin(ModelAdmin):
    """Versions are added and read; the database refuses to change them."""

    form = PolicyVersionForm
    change_form_outer_before_template = "moderation/version_attach.html"
    list_display = ("__str__", "thresholds", "created_by", "created_at")
    list_filter = ("policy",)
    list_select_related = ("policy", "created_by")
    ordering = ("policy", "-number")

    def get_fields(self, request: HttpRequest, obj: PolicyVersion | None = None) -> Any:
        if obj is None:
            return ("policy", "document")
        return ("policy", "number", "document", "created_by", "created_at")

    def get_inlines(self, request: HttpRequest, obj: PolicyVersion | None) -> list[Any]:
        return [PolicyEvaluationInline] if obj else []

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        wanted = str(request.GET.get("policy", ""))
        policy = next((p for p in Policy.objects.all() if str(p.pk) == wanted), None)
        return {"policy": policy, "document": newest_document(policy)}

    def save_model(self, request: HttpRequest, obj: PolicyVersion, form: Any, change: bool) -> None:
        version = policy_version_add(
            policy=form.cleaned_data["policy"],
            document=PolicyDocument.model_validate(form.cleaned_data["document"]),
            created_by=request.user,  # type: ignore[arg-type]
        )
        obj.pk, obj.number, obj.document = version.pk, version.number, version.document
        obj.created_by, obj.created_at = version.created_by, version.created_at

    def has_change_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False

    @admin.display(description="thresholds")
    def thresholds(self, version: PolicyVersion) -> str:
        return ", ".join(f"{name} {value:g}" for name, value in version.parsed.thresholds.items())


@admin.register(RawPictureView)
class RawPictureViewAdmin(ReadOnlyAdmin):
    list_display = ("created_at", "user", "shown_picture")
    list_filter = (("user", admin.RelatedOnlyFieldListFilter),)
    list_select_related = ("user", "picture")
    search_fields = ("picture__id__icontains", "user__username")
    date_hierarchy = "created_at"
    ordering = ("-id",)

    @admin.display(description="picture")
    def shown_picture(self, view: RawPictureView) -> SafeString:
        return format_html(
            '<a href="{}">picture {} of job <code>…{}</code></a>',
            reverse("admin:jobs_picture_change", args=[view.picture_id]),
            view.picture.index, str(view.picture.job_id)[-8:],
        )  # fmt: skip
