"""Signing in: name, password and, of those who enrolled, a code. Attempts are bounded per name and
address (django-axes), codes among them."""

from typing import TYPE_CHECKING, Any

from axes.handlers.proxy import AxesProxyHandler
from django import forms
from django.conf import settings
from django.contrib.auth.signals import user_login_failed
from django.http import HttpRequest

from accounts.models import User
from accounts.two_factor import code_accept, is_enrolled
from config.addresses import client_address

if TYPE_CHECKING:
    from django.contrib.auth.forms import AuthenticationForm
else:
    from unfold.forms import AuthenticationForm


class SignInForm(AuthenticationForm):
    code = forms.CharField(
        required=False,
        max_length=32,
        help_text="of your authenticator app, or a recovery code; leave it empty if you have none",
        widget=forms.TextInput(attrs={"autocomplete": "one-time-code"}),
    )

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        looks = self.fields["username"].widget.attrs.get("class", "")
        self.fields["code"].widget.attrs["class"] = looks

    def clean(self) -> dict[str, Any]:
        name = self.cleaned_data.get("username", "")
        if not AxesProxyHandler.is_allowed(self.request, {"username": name}):
            minutes = max(1, round(settings.ENVIRONMENT.login_lock_seconds / 60))
            raise forms.ValidationError(
                f"Too many failed attempts. Try again in {minutes} minutes.", code="locked"
            )
        data: dict[str, Any] = super().clean()
        user = self.get_user()
        if isinstance(user, User) and is_enrolled(user):
            device = code_accept(user=user, code=data.get("code", ""))
            if device is None:
                user_login_failed.send(
                    sender=type(self), credentials={"username": name}, request=self.request
                )
                raise forms.ValidationError(
                    "The code is missing, wrong or was used before. Take the one your app shows "
                    "now.",
                    code="code",
                )
            user.otp_device = device  # type: ignore[attr-defined]  # django-otp puts it there too
        return data


def address_of(request: HttpRequest) -> str | None:
    """django-axes' AXES_CLIENT_IP_CALLABLE: what trusted proxies say, and nobody else."""
    address = client_address(request)
    return None if address is None else str(address)
