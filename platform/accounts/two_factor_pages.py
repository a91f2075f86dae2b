"""Each person's own second factor: enrol, new recovery codes, turn off."""

from collections.abc import Callable
from functools import wraps
from typing import Any

import django_otp
from django.conf import settings
from django.contrib import admin, messages
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.safestring import mark_safe
from django.views.decorators.cache import never_cache

from accounts.models import User
from accounts.two_factor import (
    code_accept,
    enrolment,
    enrolment_confirm,
    is_enrolled,
    qr_code,
    recovery_codes_left,
    recovery_codes_make,
    two_factor_remove,
)

_PAGE = "accounts:two_factor"
_WRONG = "That code is wrong or was used before. Take the one your app shows now."
View = Callable[[HttpRequest, User], HttpResponse]


def _of_staff(*methods: str) -> Callable[[View], Callable[[HttpRequest], HttpResponse]]:
    """For staff who have signed in as far as they can: with a code where they enrolled."""

    def guard(view: View) -> Callable[[HttpRequest], HttpResponse]:
        @wraps(view)
        def checked(request: HttpRequest) -> HttpResponse:
            user = request.user
            if isinstance(user, User) and user.is_active and user.is_staff:
                verified = getattr(user, "otp_device", None) is not None
                if verified or not is_enrolled(user):
                    if request.method not in methods:
                        return HttpResponseNotAllowed(methods)
                    return view(request, user)
            return redirect_to_login(request.get_full_path(), reverse("admin:login"))

        return never_cache(checked)

    return guard


@_of_staff("GET", "HEAD")
def two_factor(request: HttpRequest, user: User) -> HttpResponse:
    """How it stands; whoever has not enrolled is shown a secret for their app."""
    if is_enrolled(user):
        return _page(request, "two_factor", codes_left=recovery_codes_left(user))
    device = enrolment(user)
    secret = device.config_url.partition("secret=")[2].partition("&")[0]
    return _page(
        request,
        "two_factor_enrol",
        qr=mark_safe(qr_code(device)),  # noqa: S308  # drawn here, holds no text
        secret=secret,
        required=settings.ENVIRONMENT.two_factor_required,
    )


@_of_staff("POST")
def two_factor_confirm(request: HttpRequest, user: User) -> HttpResponse:
    """Turn it on, with the first code of the app."""
    confirmed = enrolment_confirm(user=user, code=request.POST.get("code", ""))
    if confirmed is None:
        messages.error(request, _WRONG)
        return redirect(_PAGE)
    device, codes = confirmed
    django_otp.login(request, device)
    return _page(request, "recovery_codes", codes=codes)


@_of_staff("POST")
def two_factor_codes(request: HttpRequest, user: User) -> HttpResponse:
    """New recovery codes in place of the old."""
    if code_accept(user=user, code=request.POST.get("code", "")) is None:
        messages.error(request, _WRONG)
        return redirect(_PAGE)
    return _page(request, "recovery_codes", codes=recovery_codes_make(user=user))


@_of_staff("POST")
def two_factor_off(request: HttpRequest, user: User) -> HttpResponse:
    """Turn it off, with a last code."""
    if code_accept(user=user, code=request.POST.get("code", "")) is None:
        messages.error(request, _WRONG)
        return redirect(_PAGE)
    two_factor_remove(user=user, by=user)
    messages.success(request, "Two-factor sign-in is off.")
    return redirect(_PAGE if settings.ENVIRONMENT.two_factor_required else "admin:index")


def _page(request: HttpRequest, name: str, **context: Any) -> HttpResponse:
    context |= admin.site.each_context(request) | {"title": "Two-factor sign-in"}
    response = TemplateResponse(request, f"accounts/{name}.html", context)
    response["Cache-Control"] = "no-store"
    return response
