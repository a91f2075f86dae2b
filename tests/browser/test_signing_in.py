"""Signing in as a person does it: password, then a code of an app as well."""

import re
import time
from collections.abc import Callable

from django_otp.oath import TOTP
from playwright.sync_api import Page, expect

from accounts.models import AppDevice, User
from browsing import Desk
from review_cases import make_user

PASSWORD = "Quiet-River-42"


def person() -> User:
    user = make_user(group="Moderators")
    user.set_password(PASSWORD)
    user.save()
    return user


def code_of(user: User, steps: int = 0) -> str:
    device = AppDevice.objects.get(user=user)
    totp = TOTP(device.bin_key, device.step, device.t0, device.digits)
    totp.time = time.time() + steps * device.step
    return f"{totp.token():06d}"


def sign_in(page: Page, user: User, password: str, code: str = "") -> None:
    page.goto("/admin/login/?next=/admin/")
    page.get_by_label("Username").fill(user.username)
    page.get_by_label("Password").fill(password)
    page.get_by_label("Code", exact=True).fill(code)
    page.get_by_role("button", name="Sign in").click()


def test_a_person_signs_in_enrols_and_signs_in_with_a_code(desk: Callable[..., Desk]) -> None:
    user, window = person(), desk()
    page = window.page
    sign_in(page, user, "not it")
    expect(page.get_by_role("alert").first).to_contain_text("Please enter the correct username")
    window.screenshot("sign-in-refused")
    sign_in(page, user, PASSWORD)
    expect(page).to_have_url(re.compile(r"/admin/$"))

    page.goto("/admin/two-factor/")
    expect(page.get_by_role("img", name="QR code")).to_be_visible()
    window.screenshot("two-factor-enrol")
    page.get_by_label("Code", exact=True).fill(code_of(user, -1))
    page.get_by_role("button", name="Turn on").click()
    codes = page.locator("#codes").inner_text().split()
    assert len(codes) == 10
    window.screenshot("recovery-codes")
    page.get_by_role("link", name="Done").click()
    expect(page).to_have_url(re.compile(r"/admin/$"))

    another = desk()
    sign_in(another.page, user, PASSWORD)
    expect(another.page.get_by_role("alert").first).to_contain_text("The code is missing")
    another.screenshot("code-missing")
    sign_in(another.page, user, PASSWORD, codes[0])
    expect(another.page).to_have_url(re.compile(r"/admin/$"))
