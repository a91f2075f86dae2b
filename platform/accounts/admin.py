"""People, tenants and API keys. A key is shown once, when it is made, and never again."""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from django import forms
from django.contrib import admin, messages
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.safestring import SafeString

from accounts.access_admin import (
    AccessAttemptAdmin,
    AccessFailureLogAdmin,
    AccessLogAdmin,
    LogEntryAdmin,
)
from accounts.acts import rights_changed, rights_of
from accounts.errors import KeyEnded, TooManyKeys
from accounts.models import APIKey, Quotas, Scope, Tenant, User
from accounts.networks import network_normalise
from accounts.services import api_key_create, api_key_revoke, api_key_rotate
from config.admin import ModelAdmin
from moderation.badges import badge
from policies.assignments import with_version_in_force

if TYPE_CHECKING:
    from django.contrib.auth.forms import (
        AdminPasswordChangeForm,
        UserChangeForm,
        UserCreationForm,
    )
    from django.forms import CheckboxSelectMultiple
else:
    from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm
    from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget as CheckboxSelectMultiple

__all__ = [
    "APIKeyAdmin",
    "AccessAttemptAdmin",
    "AccessFailureLogAdmin",
    "AccessLogAdmin",
    "GroupAdmin",
    "LogEntryAdmin",
    "TenantAdmin",
    "UserAdmin",
]

OVERLAP: Final = timedelta(days=1)
"""How long the old secret of a key is accepted beside the new one."""
QUOTAS = tuple(field.name for field in Quotas._meta.get_fields())

admin.site.unregister(Group)


class RightsAreLogged(ModelAdmin):
    """Whoever gives or takes rights leaves a line that says which."""

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        before = rights_of(self.model.objects.get(pk=obj.pk)) if change else {}
        request.rights_before = before  # type: ignore[attr-defined]
        super().save_model(request, obj, form, change)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        row = self.model.objects.get(pk=form.instance.pk)
        if told := rights_changed(request.rights_before, rights_of(row)):  # type: ignore[attr-defined]
            self.log_change(request, row, told)


@admin.register(User)
class UserAdmin(DjangoUserAdmin, RightsAreLogged):  # type: ignore[type-arg]
    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm

    def has_delete_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False  # made inactive instead: what they did stays theirs


@admin.register(Group)
class GroupAdmin(DjangoGroupAdmin, RightsAreLogged):
    pass


@admin.register(Tenant)
class TenantAdmin(ModelAdmin):
    """Tenants are made inactive, not deleted: their record stays."""

    list_display = ("name", "slug", "in_force", "is_active", "created_at")
    list_filter = ("is_active",)
    search_fields = ("name", "slug")
    fields = ("name", "slug", "policy_version", "is_active", *QUOTAS)

    def get_readonly_fields(self, request: HttpRequest, obj: Tenant | None = None) -> Any:
        return ("slug", "policy_version") if obj else ()

    def get_queryset(self, request: HttpRequest) -> QuerySet[Tenant]:
        return with_version_in_force(super().get_queryset(request), at=timezone.now())

    @admin.display(description="policy in force")
    def in_force(self, tenant: Any) -> str:
        return f"{tenant.policy_in_force} v{tenant.number_in_force}"

    def has_delete_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False


class APIKeyForm(forms.ModelForm):  # type: ignore[type-arg]
    scopes = forms.MultipleChoiceField(
        choices=Scope.choices, widget=CheckboxSelectMultiple, initial=Scope.values
    )

    class Meta:
        model = APIKey
        fields = ("tenant", "name", "scopes", "allowed_networks", "expires_at", *QUOTAS)

    def clean_scopes(self) -> list[Scope]:
        return [Scope(scope) for scope in self.cleaned_data["scopes"]]

    def clean_allowed_networks(self) -> list[str]:
        try:
            return [network_normalise(text) for text in self.cleaned_data["allowed_networks"]]
        except ValueError as error:
            raise forms.ValidationError(str(error)) from error

    def clean_expires_at(self) -> datetime | None:
        expires_at: datetime | None = self.cleaned_data["expires_at"]
        if expires_at is not None and expires_at <= timezone.now():
            raise forms.ValidationError("That is over already.")
        return expires_at


@admin.register(APIKey)
class APIKeyAdmin(ModelAdmin):
    """Keys are made, read, rotated and revoked; nothing else of them is edited."""

    form = APIKeyForm
    list_display = ("name", "tenant", "prefix", "state", "scopes", "last_used_at", "created_at")
    list_filter = ("tenant",)
    list_select_related = ("tenant",)
    search_fields = ("name", "prefix")
    ordering = ("-created_at",)
    actions = ("rotate", "revoke")

    def get_fields(self, request: HttpRequest, obj: APIKey | None = None) -> Any:
        if obj is None:
            return ("tenant", "name", "scopes", "allowed_networks", "expires_at", *QUOTAS)
        return (
            "tenant", "name", "prefix", "scopes", "allowed_networks", "expires_at", "revoked_at",
            "previous_digest_ends_at", "last_used_at", "made_by", "created_at", *QUOTAS,
        )  # fmt: skip

    def save_model(self, request: HttpRequest, obj: APIKey, form: Any, change: bool) -> None:
        key, secret = api_key_create(**form.cleaned_data)
        obj.pk, obj.prefix = key.pk, key.prefix
        request.created_key = secret  # type: ignore[attr-defined]

    def add_view(self, request: HttpRequest, *args: Any, **options: Any) -> HttpResponse:
        try:
            return super().add_view(request, *args, **options)
        except TooManyKeys as error:
            messages.error(request, f"Not made: {error}.")
            return redirect("admin:accounts_apikey_changelist")

    def response_add(
        self, request: HttpRequest, obj: APIKey, post_url_continue: str | None = None
    ) -> HttpResponse:
        return self._shown_once(request, obj, request.created_key)  # type: ignore[attr-defined]

    def _shown_once(self, request: HttpRequest, row: APIKey, key: str) -> HttpResponse:
        """The key, in the answer itself: no cookie, no session, no log ever holds it."""
        context = self.admin_site.each_context(request) | {
            "title": f"Key {row.name}",
            "opts": self.opts,
            "key": key,
            "row": row,
        }
        response = TemplateResponse(request, "accounts/api_key_created.html", context)
        response["Cache-Control"] = "no-store"
        return response

    def has_change_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False

    def has_revoke_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("accounts.change_apikey")

    def has_delete_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False

    @admin.action(
        description="Rotate one: a new secret, the old one accepted for a day",
        permissions=["revoke"],
    )
    def rotate(self, request: HttpRequest, queryset: QuerySet[APIKey]) -> HttpResponse | None:
        if queryset.count() != 1:
            messages.error(request, "Choose one key: its new secret is shown once.")
            return None
        row = queryset.get()
        try:
            key = api_key_rotate(key=row, overlap=OVERLAP)
        except KeyEnded as error:
            messages.error(request, f"Not rotated: {error}; make a new key.")
            return None
        self.log_change(request, row, "Rotated.")
        return self._shown_once(request, row, key)

    @admin.action(description="Revoke: end the key at once", permissions=["revoke"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[APIKey]) -> None:
        keys = list(queryset.filter(revoked_at=None))
        for key in keys:
            api_key_revoke(key=key)
            self.log_change(request, key, "Revoked.")
        messages.success(request, f"{len(keys)} revoked.")

    @admin.display(description="state")
    def state(self, key: APIKey) -> SafeString:
        if key.revoked_at:
            return badge("failed", "revoked")
        if key.expires_at and key.expires_at <= timezone.now():
            return badge("canceled", "expired")
        return badge("succeeded", "valid")
