"""The record: decisions, policies and their versions, and who looked at what."""

import json
from typing import Any

from django.contrib import admin
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from config.admin import ModelAdmin, ReadOnlyAdmin, ReadOnlyInline
from moderation.appeal_admin import AppealAdmin
from moderation.badges import badge
from moderation.evaluation_admin import PolicyEvaluationAdmin, PolicyEvaluationInline
from moderation.models import Decision, Policy, PolicyVersion, RawPictureView
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
    """Versions are read; they come from drafts, and the database refuses to change them."""

    change_form_outer_before_template = "policies/version_actions.html"
    list_display = ("__str__", "thresholds", "created_by", "created_at")
    list_filter = ("policy",)
    list_select_related = ("policy", "created_by")
    ordering = ("policy", "-number")
    fields = ("policy", "number", "shown_document", "created_by", "created_at")
    readonly_fields = ("shown_document",)
    inlines = (PolicyEvaluationInline,)

    def render_change_form(
        self, request: HttpRequest, context: Any, *args: Any, **options: Any
    ) -> Any:
        version = options["obj"]
        others = version.policy.versions
        context |= {
            "before": others.filter(number__lt=version.number).order_by("-number").first(),
            "newer": others.filter(number__gt=version.number).exists(),
        }
        return super().render_change_form(request, context, *args, **options)

    def has_add_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False

    @admin.display(description="document")
    def shown_document(self, version: PolicyVersion) -> SafeString:
        text = json.dumps(version.document, ensure_ascii=False, indent=2)
        return format_html('<pre class="desk-code">{}</pre>', text)

    @admin.display(description="thresholds")
    def thresholds(self, version: PolicyVersion) -> str:
        return ", ".join(f"{name} {value:g}" for name, value in version.parsed.thresholds.items())


@admin.register(RawPictureView)
class RawPictureViewAdmin(ReadOnlyAdmin):
    list_display = ("created_at", "user", "shown_picture")
    list_filter = (("user", admin.RelatedOnlyFieldListFilter),)
    list_select_related = ("user", "picture", "sent")
    search_fields = ("picture__id__icontains", "sent__id__icontains", "user__username")
    date_hierarchy = "created_at"
    ordering = ("-id",)

    @admin.display(description="picture")
    def shown_picture(self, view: RawPictureView) -> SafeString:
        if view.sent is not None:
            return format_html(
                '<a href="{}">{} sent with job <code>…{}</code></a>',
                reverse("admin:jobs_job_change", args=[view.sent.job_id]),
                view.sent.get_role_display(), str(view.sent.job_id)[-8:],
            )  # fmt: skip
        assert view.picture is not None  # by its constraint
        return format_html(
            '<a href="{}">picture {} of job <code>…{}</code></a>',
            reverse("admin:jobs_picture_change", args=[view.picture_id]),
            view.picture.index, str(view.picture.job_id)[-8:],
        )  # fmt: skip
