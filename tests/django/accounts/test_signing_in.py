"""Signing in: bounded attempts, sessions that end, codes that count once, and a log of it all."""

import io
import time
from collections.abc import Iterator
from typing import Any

import pytest
from axes.models import AccessAttempt, AccessFailureLog, AccessLog
from django.conf import settings
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.contrib.sessions.models import Session
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django_otp.oath import TOTP
from django_otp.plugins.otp_static.models import StaticDevice
from django_otp.plugins.otp_totp.models import TOTPDevice

from accounts.models import AppDevice, User
from accounts.sessions import SIGNED_IN_AT
from review_cases import make_user

pytestmark = [pytest.mark.services, pytest.mark.django_db]

PASSWORD = "Quiet-River-42"
LOGIN, INDEX = "/admin/login/", "/admin/"


@pytest.fixture
def person() -> User:
    user = make_user()
    user.set_password(PASSWORD)
    user.save()
    return user


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Changes what the environment says."""

    def change(**values: object) -> None:
        changed = settings.ENVIRONMENT.model_copy(update=values)
        monkeypatch.setattr(settings, "ENVIRONMENT", changed)

    return change  # type: ignore[return-value]


def sign_in(
    user: User, password: str = PASSWORD, code: str = "", client: Client | None = None, **meta: str
) -> Any:
    body = {"username": user.username, "password": password, "code": code}
    return (client or Client()).post(LOGIN, body, **meta)  # type: ignore[arg-type]


def code_of(user: User, steps: int = 0) -> str:
    """What the person's app shows, `steps` half minutes from now."""
    device = AppDevice.objects.filter(user=user).latest("pk")
    totp = TOTP(device.bin_key, device.step, device.t0, device.digits)
    totp.time = time.time() + steps * device.step
    return f"{totp.token():06d}"


def enrolled(user: User) -> tuple[Client, list[str]]:
    """A session of the person who has just enrolled, and their recovery codes."""
    client = Client()
    sign_in(user, client=client)
    page = client.get(reverse("accounts:two_factor"))
    assert "<svg" in page.content.decode()
    confirmed = client.post(reverse("accounts:two_factor_confirm"), {"code": code_of(user, -1)})
    assert "no-store" in confirmed["Cache-Control"]
    return client, list(confirmed.context["codes"])


def test_attempts_are_bounded_per_name_and_address(person: User) -> None:
    other = make_user()
    other.set_password(PASSWORD)
    other.save()
    for _ in range(settings.ENVIRONMENT.login_failures):
        assert sign_in(person, "wrong").status_code == 200
    refused = sign_in(person)
    assert refused.status_code == 200
    assert "Too many failed attempts. Try again in 15 minutes." in refused.content.decode()
    assert sign_in(person, REMOTE_ADDR="192.0.2.7").status_code == 302, "from elsewhere"
    assert sign_in(other).status_code == 302, "another name"


def test_the_address_is_what_trusted_proxies_say(person: User, environment: Any) -> None:
    for number in range(settings.ENVIRONMENT.login_failures):
        sign_in(person, "wrong", HTTP_X_FORWARDED_FOR=f"198.51.100.{number}")
    assert AccessAttempt.objects.get(username=person.username).ip_address == "127.0.0.1"
    assert sign_in(person, HTTP_X_FORWARDED_FOR="198.51.100.99").status_code == 200, "locked out"
    environment(trusted_proxies=("127.0.0.0/8",))
    assert sign_in(person, HTTP_X_FORWARDED_FOR="198.51.100.99").status_code == 302


def test_a_lock_ends(person: User) -> None:
    for _ in range(settings.ENVIRONMENT.login_failures):
        sign_in(person, "wrong")
    over = timezone.now() - settings.AXES_COOLOFF_TIME
    AccessAttempt.objects.filter(username=person.username).update(attempt_time=over)
    assert sign_in(person).status_code == 302
    assert not AccessAttempt.objects.filter(username=person.username).exists()


def test_sign_ins_and_failures_are_written_down_without_passwords(person: User) -> None:
    sign_in(person, "a wrong password")
    client = Client()
    sign_in(person, client=client)
    client.post("/admin/logout/")
    entry = AccessLog.objects.get(username=person.username)
    assert (entry.ip_address, entry.logout_time is not None) == ("127.0.0.1", True)
    assert AccessFailureLog.objects.filter(username=person.username).count() == 1
    with connection.cursor() as cursor:
        for table in ("axes_accesslog", "axes_accessfailurelog", "axes_accessattempt"):
            cursor.execute(f"SELECT t::text FROM {table} t")
            assert not any("a wrong password" in row for (row,) in cursor.fetchall())


def test_an_idle_session_ends(person: User) -> None:
    client = Client()
    sign_in(person, client=client)
    assert client.get(INDEX).status_code == 200
    row = Session.objects.get(pk=client.session.session_key)
    left = (row.expire_date - timezone.now()).total_seconds()
    idle = settings.ENVIRONMENT.session_idle_seconds
    assert idle - 20 < left <= idle
    used = Session.objects.filter(pk=row.pk)
    used.update(expire_date=timezone.now() + timezone.timedelta(seconds=30))
    assert client.get(INDEX).status_code == 200
    assert (used.get().expire_date - timezone.now()).total_seconds() > idle - 20, "it was used"
    used.update(expire_date=timezone.now() - timezone.timedelta(seconds=1))
    assert client.get(INDEX).status_code == 302


def test_a_session_ends_however_much_it_is_used(person: User) -> None:
    client = Client()
    sign_in(person, client=client)
    session = client.session
    session[SIGNED_IN_AT] -= settings.ENVIRONMENT.session_seconds - 60
    session.save()
    assert client.get(INDEX).status_code == 200
    session[SIGNED_IN_AT] -= 61
    session.save()
    assert client.get(INDEX).status_code == 302
    del session[SIGNED_IN_AT]
    session.save()
    assert client.get(INDEX).status_code == 302, "one of unknown age"


def test_the_cookie_ends_with_the_browser(person: User) -> None:
    cookie = sign_in(person).cookies[settings.SESSION_COOKIE_NAME]
    assert (cookie["max-age"], cookie["expires"], cookie["httponly"]) == ("", "", True)


def test_a_code_is_asked_of_who_enrolled(person: User) -> None:
    enrolled(person)
    assert "The code is missing" in sign_in(person).content.decode()
    assert "The code is missing" in sign_in(person, code="000000").content.decode()
    TOTPDevice.objects.update(throttling_failure_timestamp=None, throttling_failure_count=0)
    client = Client()
    assert sign_in(person, code=code_of(person), client=client).status_code == 302
    assert client.get(INDEX).status_code == 200
    assert sign_in(person, code=code_of(person)).status_code == 200, "a code counts once"


def test_wrong_codes_are_bounded_like_wrong_passwords(person: User) -> None:
    enrolled(person)
    for _ in range(settings.ENVIRONMENT.login_failures):
        sign_in(person, code="000000")
    assert "Too many failed attempts" in sign_in(person, code=code_of(person)).content.decode()


def test_a_session_from_before_enrolment_needs_the_code_too(person: User) -> None:
    before = Client()
    sign_in(person, client=before)
    enrolled(person)
    assert before.get(INDEX)["Location"].startswith(LOGIN)
    assert before.get(reverse("accounts:two_factor"))["Location"].startswith(LOGIN)
    assert before.post(reverse("accounts:two_factor_off"))["Location"].startswith(LOGIN)


def test_recovery_codes_count_once_each(person: User) -> None:
    client, codes = enrolled(person)
    assert len(set(codes)) == 10
    assert sign_in(person, code=codes[0].upper()).status_code == 302
    assert sign_in(person, code=codes[0]).status_code == 200
    StaticDevice.objects.update(throttling_failure_timestamp=None, throttling_failure_count=0)
    assert "9 recovery codes" in client.get(reverse("accounts:two_factor")).content.decode()
    new = client.post(reverse("accounts:two_factor_codes"), {"code": codes[1]})
    assert not set(codes) & set(new.context["codes"])
    assert sign_in(person, code=codes[2]).status_code == 200, "of before"


def test_it_is_turned_off_with_a_code_only(person: User) -> None:
    client, codes = enrolled(person)
    off = reverse("accounts:two_factor_off")
    client.post(off, {"code": "123456"})
    assert TOTPDevice.objects.filter(user=person, confirmed=True).exists()
    assert client.post(off, {"code": codes[0]})["Location"] == INDEX
    assert sign_in(person).status_code == 302
    said = [entry.change_message for entry in LogEntry.objects.filter(user=person).order_by("id")]
    assert said == [
        "Two-factor sign-in turned on.", "New recovery codes made.",
        "Two-factor sign-in turned off.",
    ]  # fmt: skip


def test_a_second_enrolment_takes_nothing_over(person: User) -> None:
    client, _ = enrolled(person)
    before = TOTPDevice.objects.get(user=person).key
    client.post(reverse("accounts:two_factor_confirm"), {"code": code_of(person)})
    assert TOTPDevice.objects.get(user=person, confirmed=True).key == before


def test_nobody_works_without_it_where_it_is_required(person: User, environment: Any) -> None:
    environment(two_factor_required=True)
    client = Client()
    sign_in(person, client=client)
    answer = client.get(INDEX, follow=True)
    assert answer.redirect_chain[-1][0] == reverse("accounts:two_factor")
    assert "Set yours up to go on" in answer.content.decode()
    wrong = client.post(reverse("accounts:two_factor_confirm"), {"code": "1"}, follow=True)
    assert "That code is wrong" in wrong.content.decode()
    TOTPDevice.objects.update(throttling_failure_timestamp=None, throttling_failure_count=0)
    client.post(reverse("accounts:two_factor_confirm"), {"code": code_of(person)})
    assert client.get(INDEX).status_code == 200


def test_a_lost_factor_is_taken_away_from_the_command_line(person: User) -> None:
    enrolled(person)
    out = io.StringIO()
    call_command("two_factor_reset", person.username, stdout=out)
    assert "by password alone" in out.getvalue()
    assert sign_in(person).status_code == 302
    assert "from the command line" in LogEntry.objects.filter(user=person)[0].change_message
    with pytest.raises(CommandError, match="no second factor"):
        call_command("two_factor_reset", person.username)
    with pytest.raises(CommandError, match="nobody called"):
        call_command("two_factor_reset", "nobody-at-all")


def test_secrets_of_second_factors_are_in_no_admin() -> None:
    assert not {TOTPDevice, StaticDevice} & set(admin.site._registry)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE django_admin_log SET change_message = 'nothing'",
        "DELETE FROM django_admin_log",
        "TRUNCATE django_admin_log",
    ],
)
def test_the_log_of_what_people_did_is_append_only(person: User, statement: str) -> None:
    enrolled(person)
    connection.cursor().execute("SET CONSTRAINTS ALL IMMEDIATE")
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        connection.cursor().execute(statement)
