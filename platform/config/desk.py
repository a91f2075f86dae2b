"""The admin site: unfold's, behind the second factor."""

from typing import TYPE_CHECKING, Any

from django.contrib.admin.apps import AdminConfig
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

if TYPE_CHECKING:
    from django.contrib.admin import AdminSite
else:
    from unfold.sites import UnfoldAdminSite as AdminSite


class DeskConfig(AdminConfig):
    """`django.contrib.admin` with this site."""

    default_site = "config.desk.DeskSite"


class DeskSite(AdminSite):
    login_template = "accounts/sign_in.html"

    def has_permission(self, request: HttpRequest) -> bool:
        from accounts.two_factor import is_satisfied

        return super().has_permission(request) and is_satisfied(request.user)  # type: ignore[arg-type]

    def login(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The form; whoever must enrol first is led there."""
        from accounts.two_factor import is_enrolled

        staff = super().has_permission(request)
        if staff and not self.has_permission(request) and not is_enrolled(request.user):  # type: ignore[arg-type]
            return redirect("accounts:two_factor")
        return super().login(request, extra_context)
