"""Policies at work in the admin: drafts, who is under which version, shadows."""

from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from accounts.models import Tenant
from config.admin import ModelAdmin, ReadOnlyAdmin
from ethical_lens.policy import Policy as PolicyDocument
from moderation.badges import badge
from moderation.evaluations import runs_of
from moderation.models import Policy, PolicyVersion
from policies.assignments import assignment_make, assignment_withdraw
from policies.documents import newest_document
from policies.drafts import draft_edit, draft_make
from policies.errors import TooLate
from policies.forms import AssignmentForm, DraftForm, ShadowForm
from policies.models import PolicyAssignment, PolicyDraft, PolicyShadow
from policies.parts import fieldsets


def _wanted(model: Any, text: object) -> Any:
    """The row that an address names, or None."""
    try:
        return model.objects.filter(pk=UUID(str(text))).first()
    except ValueError:
        return None


@admin.register(PolicyDraft)
class PolicyDraftAdmin(ModelAdmin):
    """Written and edited by authors, published by somebody else, then only read."""

    form = DraftForm
    change_form_outer_before_template = "policies/draft_actions.html"
    list_display = ("__str__", "state", "based_on", "edited_at", "published_as")
    list_filter = ("policy",)
    list_select_related = ("policy", "based_on__policy", "published_as__policy")
    search_fields = ("note", "policy__name")
    ordering = ("-id",)

    def get_fields(self, request: HttpRequest, obj: PolicyDraft | None = None) -> Any:
        if obj is None:
            return ("policy", "note", "document")
        return (
            "policy", "note", "document", "based_on", "shown_authors", "published_as",
            "published_by", "published_at",
        )  # fmt: skip

    def get_fieldsets(self, request: HttpRequest, obj: PolicyDraft | None = None) -> Any:
        """Whoever may write gets the fields of the document; others read it as JSON."""
        known = self.get_fields(request, obj)
        writes = self.has_add_permission(request) if obj is None else (
            self.has_change_permission(request, obj)
        )  # fmt: skip
        if not writes:
            return [(None, {"fields": known})]
        told = [name for name in known if name != "document"]
        return [
            (None, {"fields": [*told[:2], "written_as", *told[2:]]}),
            *fieldsets(),
            ("As JSON", {"fields": ["document"]}),
        ]

    def get_form(
        self, request: HttpRequest, obj: Any = None, change: bool = False, **options: Any
    ) -> Any:
        """The fields of the document come with the form itself."""
        known = self.get_fields(request, obj)
        return super().get_form(
            request, obj, change, **options | {"fields": [*known, "written_as"]}
        )

    def get_readonly_fields(self, request: HttpRequest, obj: PolicyDraft | None = None) -> Any:
        if obj is None:
            return ()
        return (
            "policy", "based_on", "shown_authors", "published_as", "published_by", "published_at",
        )  # fmt: skip

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        policy = _wanted(Policy, request.GET.get("policy", ""))
        return {"policy": policy, "document": newest_document(policy)}

    def save_model(self, request: HttpRequest, obj: PolicyDraft, form: Any, change: bool) -> None:
        said = {
            "document": PolicyDocument.model_validate(form.cleaned_data["document"]),
            "note": form.cleaned_data["note"],
            "author": request.user,
        }
        if change:
            draft_edit(draft_id=obj.pk, **said)
            return
        policy = form.cleaned_data["policy"]
        newest = policy.versions.order_by("-number").first()
        obj.pk = draft_make(policy=policy, based_on=newest, **said).pk

    def render_change_form(
        self, request: HttpRequest, context: Any, *args: Any, **options: Any
    ) -> Any:
        draft: PolicyDraft | None = options.get("obj")
        if draft is not None:
            newest = draft.policy.versions.order_by("-number").first()
            context |= {
                "compare_with": draft.based_on or newest,
                "shadow_form": ShadowForm(),
                "shadows": draft.shadows.select_related("tenant"),
                "evaluations": [] if draft.published_as_id else runs_of(draft.parsed),
            }
        return super().render_change_form(request, context, *args, **options)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("policies.author_policy")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        may = request.user.has_perm("policies.author_policy")
        return may and (obj is None or obj.published_as_id is None)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @admin.display(description="state")
    def state(self, draft: PolicyDraft) -> SafeString:
        return badge("succeeded", "published") if draft.published_as_id else badge("info", "draft")

    @admin.display(description="authors")
    def shown_authors(self, draft: PolicyDraft) -> str:
        return ", ".join(str(author) for author in draft.authors.order_by("username"))


@admin.register(PolicyAssignment)
class PolicyAssignmentAdmin(ModelAdmin):
    """Made and, before they begin, withdrawn; never changed."""

    form = AssignmentForm
    list_display = ("tenant", "policy_version", "starts_at", "state", "made_by")
    list_filter = ("tenant",)
    list_select_related = ("tenant", "policy_version__policy", "made_by")
    ordering = ("-starts_at", "-id")
    actions = ("withdraw",)

    def get_fields(self, request: HttpRequest, obj: PolicyAssignment | None = None) -> Any:
        made = ("tenant", "policy_version", "starts_at")
        if obj is None:
            return made
        return (*made, "made_by", "created_at", "withdrawn_by", "withdrawn_at")

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        return {
            "policy_version": _wanted(PolicyVersion, request.GET.get("policy_version", "")),
            "tenant": _wanted(Tenant, request.GET.get("tenant", "")),
        }

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        made = assignment_make(
            tenant=form.cleaned_data["tenant"],
            version=form.cleaned_data["policy_version"],
            starts_at=form.cleaned_data["starts_at"],
            made_by=request.user,  # type: ignore[arg-type]
        )
        for field in PolicyAssignment._meta.concrete_fields:
            setattr(obj, field.attname, getattr(made, field.attname))

    def has_add_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("policies.assign_policy")

    def has_change_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False

    def has_withdraw_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("policies.assign_policy")

    @admin.action(description="Withdraw: before they begin", permissions=["withdraw"])
    def withdraw(self, request: HttpRequest, queryset: QuerySet[PolicyAssignment]) -> None:
        for assignment in queryset:
            try:
                assignment_withdraw(
                    assignment_id=assignment.pk,
                    withdrawn_by=request.user,  # type: ignore[arg-type]
                )
            except TooLate as error:
                messages.error(request, f"{assignment} was not withdrawn: {error}.")
            else:
                self.log_change(request, assignment, "Withdrawn.")
                messages.success(request, f"{assignment} is withdrawn.")

    @admin.display(description="state")
    def state(self, assignment: PolicyAssignment) -> SafeString:
        if assignment.withdrawn_at:
            return badge("canceled", "withdrawn")
        if assignment.starts_at > timezone.now():
            return badge("queued", "to come")
        return badge("succeeded", "begun")


@admin.register(PolicyShadow)
class PolicyShadowAdmin(ReadOnlyAdmin):
    list_display = ("__str__", "state", "started_by", "started_at", "comparison")
    list_select_related = ("draft__policy", "tenant", "started_by")
    ordering = ("-id",)

    @admin.display(description="state")
    def state(self, shadow: PolicyShadow) -> SafeString:
        return badge("canceled", "ended") if shadow.ended_at else badge("running", "judging")

    @admin.display(description="what it would change")
    def comparison(self, shadow: PolicyShadow) -> SafeString:
        address = reverse("policies:shadow", args=[shadow.pk])
        return format_html('<a href="{}">compare</a>', address)
