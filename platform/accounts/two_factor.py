"""The second factor: codes of an authenticator app (TOTP, RFC 6238), and recovery codes.

Every code counts once; wrong ones are slowed down per device (django-otp) and bounded like wrong
passwords (django-axes). How they lie in the database: `accounts/devices.py`.
"""

from typing import Final

import qrcode
from django.conf import settings
from django.contrib.admin.models import CHANGE, LogEntry
from django.db import transaction
from django_otp.models import Device
from django_otp.plugins.otp_static.models import StaticToken
from qrcode.image.svg import SvgPathImage

from accounts.devices import AppDevice, RecoveryDevice, app_key_make, recovery_code_digest
from accounts.models import User
from config.sealing import SealBroken

RECOVERY_CODES: Final = 10
_DIGITS: Final = 6


def is_enrolled(user: User) -> bool:
    """Whether a code is asked of this person."""
    return bool(AppDevice.objects.filter(user=user, confirmed=True).exists())


def is_satisfied(user: User) -> bool:
    """Whether this session gave a code, or none is asked of this person."""
    if getattr(user, "otp_device", None) is not None:
        return True
    return not settings.ENVIRONMENT.two_factor_required and not is_enrolled(user)


def enrolment(user: User) -> AppDevice:
    """The secret that an app is to be given. It counts for nothing until a code confirms it."""
    made = {"key": app_key_make(user_id=user.pk)}
    device: AppDevice
    device, _ = AppDevice.objects.get_or_create(user=user, confirmed=False, defaults=made)
    try:
        device.seal_again()
    except SealBroken:  # of a key that is gone
        device.key = made["key"]
    # What an app shows beside its codes.
    device.name = user.get_username()
    device.save(update_fields=["name", "key"])
    return device


def qr_code(device: AppDevice) -> str:
    """The secret as a QR code: SVG."""
    image = qrcode.make(device.config_url, image_factory=SvgPathImage, box_size=12)
    return str(image.to_string(encoding="unicode"))


@transaction.atomic
def code_accept(*, user: User, code: str) -> Device | None:
    """The device that the code is of, which will not take it again; None where it is of none."""
    code = code.replace(" ", "").lower()
    kind = AppDevice if code.isdecimal() and len(code) == _DIGITS else RecoveryDevice
    device = kind.objects.select_for_update().filter(user=user, confirmed=True).first()
    return device if device is not None and device.verify_token(code) else None


@transaction.atomic
def enrolment_confirm(*, user: User, code: str) -> tuple[AppDevice, list[str]] | None:
    """Ask codes of this person from now on: the device and the recovery codes, which are shown
    once. None where the code is not of the secret that was shown."""
    device = AppDevice.objects.select_for_update().filter(user=user, confirmed=False).first()
    if device is None or is_enrolled(user) or not device.verify_token(code.replace(" ", "")):
        return None
    device.confirmed = True
    device.save(update_fields=["confirmed"])
    log(user=user, by=user, message="Two-factor sign-in turned on.")
    return device, recovery_codes_make(user=user)


@transaction.atomic
def recovery_codes_make(*, user: User) -> list[str]:
    """New recovery codes; those before are worth nothing any more."""
    RecoveryDevice.objects.filter(user=user).delete()
    device = RecoveryDevice.objects.create(user=user, name="recovery codes")
    codes = [StaticToken.random_token() for _ in range(RECOVERY_CODES)]
    for code in codes:
        device.token_set.create(token=recovery_code_digest(code, user_id=user.pk))
    log(user=user, by=user, message="New recovery codes made.")
    return codes


def recovery_codes_left(user: User) -> int:
    return int(StaticToken.objects.filter(device__user=user).count())


@transaction.atomic
def two_factor_remove(*, user: User, by: User | None) -> None:
    """Ask no codes of this person any more; by nobody: from the command line."""
    AppDevice.objects.filter(user=user).delete()
    RecoveryDevice.objects.filter(user=user).delete()
    how = "" if by else " from the command line"
    log(user=user, by=by or user, message=f"Two-factor sign-in turned off{how}.")


def factors_reseal() -> tuple[int, list[str]]:
    """Seal every app's secret under the present key: how many another key had sealed, and the
    people whose secret no key opens."""
    resealed, broken = 0, []
    for device in AppDevice.objects.select_related("user").iterator():
        try:
            resealed += device.seal_again()
        except SealBroken:
            broken.append(str(device.user))
    return resealed, broken


def log(*, user: User, by: User, message: str) -> None:
    """One line in the log of what people did, about `user`."""
    LogEntry.objects.log_actions(
        user_id=by.pk,
        queryset=User.objects.filter(pk=user.pk),
        action_flag=CHANGE,
        change_message=message,
        single_object=True,
    )
