"""The database tells nothing by which somebody else could sign in."""

import base64
import io
import time
from importlib import import_module

import pytest
from django.apps import apps
from django.core.management import call_command
from django.db import connection
from django_otp.oath import TOTP
from pytest_django import Settings

from accounts.devices import app_key_open
from accounts.models import AppDevice, RecoveryDevice, User
from accounts.two_factor import code_accept, enrolment, enrolment_confirm
from config.sealing import SealBroken, seal, unseal
from review_cases import make_user

pytestmark = [pytest.mark.services, pytest.mark.django_db]

BEFORE, NOW = "b" * 40, "n" * 40


def code(secret: bytes, steps: int = 0) -> str:
    """What an app that was given the secret shows `steps` half minutes from now."""
    totp = TOTP(secret)
    totp.time = time.time() + steps * 30
    return f"{totp.token():06d}"


def enrolled(user: User) -> tuple[bytes, list[str]]:
    """The secret that the person's app was given, and their recovery codes."""
    secret = enrolment(user).bin_key
    confirmed = enrolment_confirm(user=user, code=code(secret, -1))
    assert confirmed
    return secret, confirmed[1]


def tables() -> str:
    """All that the database has of second factors and of people, as text."""
    with connection.cursor() as cursor:
        rows: list[str] = []
        for table in ("otp_totp_totpdevice", "otp_static_statictoken", "accounts_user"):
            cursor.execute(f"SELECT t::text FROM {table} t")
            rows += [row for (row,) in cursor.fetchall()]
    return "\n".join(rows)


def test_the_database_tells_neither_secrets_nor_codes() -> None:
    user = make_user()
    secret, codes = enrolled(user)
    told = tables()
    assert str(user.pk) in told
    raw = base64.b64decode(AppDevice.objects.get(user=user).key.removeprefix("s1."), b"-_")
    assert secret not in raw
    for form in (
        secret.hex(),
        base64.b32encode(secret).decode(),
        base64.b64encode(secret).decode(),
    ):
        assert form.lower().rstrip("=") not in told.lower()
    assert not [one for one in codes if one in told]
    assert code_accept(user=user, code=code(secret)), "it is a factor nevertheless"
    assert code_accept(user=user, code=codes[0])


def test_what_was_kept_in_clear_is_sealed_by_the_migration() -> None:
    user, hers = make_user(), "3132333435363738393031323334353637383930"
    AppDevice.objects.create(user=user, name="app", key=hers, confirmed=True)
    RecoveryDevice.objects.create(user=user, name="codes").token_set.create(token="abcdefgh")
    assert hers in tables()

    migration = import_module("accounts.migrations.0010_sealed_second_factors")
    migration.seal_all(apps, None)

    assert hers not in tables()
    assert "abcdefgh" not in tables()
    assert code_accept(user=user, code=code(bytes.fromhex(hers)))
    assert code_accept(user=user, code="abcdefgh")
    migration.open_all(apps, None)
    assert AppDevice.objects.get(user=user).key == hers


def test_a_secret_is_worth_nothing_in_the_row_of_somebody_else() -> None:
    victim, thief = make_user(), make_user()
    enrolled(victim)
    mine, _ = enrolled(thief)
    taken = AppDevice.objects.get(user=thief).key
    AppDevice.objects.filter(user=victim).update(key=taken)
    assert code_accept(user=victim, code=code(mine)) is None
    with pytest.raises(SealBroken):
        app_key_open(taken, user_id=victim.pk)


def test_a_key_is_changed_without_anybody_enrolling_anew(settings: Settings) -> None:
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = BEFORE, []
    often, seldom = make_user(), make_user()
    secret, codes = enrolled(often)
    other, _ = enrolled(seldom)

    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = NOW, [BEFORE]
    assert code_accept(user=often, code=codes[0])
    assert code_accept(user=often, code=code(secret)), "and this seals it under the new key"
    said = io.StringIO()
    call_command("two_factor_reseal", stdout=said, stderr=io.StringIO())
    assert said.getvalue().startswith("1 sealed anew"), "of whom did not sign in meanwhile"

    settings.SECRET_KEY_FALLBACKS = []
    for user, known in ((often, secret), (seldom, other)):
        assert AppDevice.objects.get(user=user).bin_key == known
    assert code_accept(user=often, code=codes[1]) is None, "recovery codes are made anew"


def test_without_its_key_a_factor_takes_no_code_and_is_named(settings: Settings) -> None:
    user = make_user()
    secret, _ = enrolled(user)
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = NOW, []
    assert code_accept(user=user, code=code(secret)) is None
    broken = io.StringIO()
    call_command("two_factor_reseal", stdout=io.StringIO(), stderr=broken)
    assert user.username in broken.getvalue()
    unconfirmed = AppDevice.objects.get(user=user)
    unconfirmed.confirmed = False
    unconfirmed.save()
    fresh = enrolment(user)
    assert enrolment_confirm(user=user, code=code(fresh.bin_key)), "a new secret was made"


def test_a_changed_byte_is_noticed() -> None:
    sealed = seal(b"a secret", purpose="test")
    assert unseal(sealed, purpose="test") == b"a secret"
    assert seal(b"a secret", purpose="test") != sealed, "the same secret twice looks different"
    changed = sealed[:-3] + ("A" if sealed[-3] != "A" else "B") + sealed[-2:]
    for wrong, purpose in (
        (changed, "test"),
        (sealed, "other"),
        ("s1.AAAA", "test"),
        ("é", "test"),
    ):
        with pytest.raises(SealBroken):
            unseal(wrong, purpose=purpose)
