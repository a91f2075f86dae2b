"""What each person does with their own account, beside the admin's pages."""

from django.urls import path

from accounts.two_factor_pages import (
    two_factor,
    two_factor_codes,
    two_factor_confirm,
    two_factor_off,
)

app_name = "accounts"

urlpatterns = [
    path("admin/two-factor/", two_factor, name="two_factor"),
    path("admin/two-factor/confirm", two_factor_confirm, name="two_factor_confirm"),
    path("admin/two-factor/codes", two_factor_codes, name="two_factor_codes"),
    path("admin/two-factor/off", two_factor_off, name="two_factor_off"),
]
