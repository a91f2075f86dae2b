"""Second factors as django-otp keeps them, but sealed: the database tells neither the secret of an
app nor a recovery code."""

import logging
from binascii import unhexlify
from secrets import token_bytes
from typing import Any, Final
from uuid import UUID

from django_otp.plugins.otp_static.models import StaticDevice
from django_otp.plugins.otp_totp.models import TOTPDevice

from config.sealing import SealBroken, is_current, keyed_digest, known_keys, seal, unseal

logger = logging.getLogger(__name__)

_BYTES: Final = 20  # RFC 4226, section 4: 160 bits are recommended


class AppDevice(TOTPDevice):  # type: ignore[misc]  # django-otp carries no types
    """An authenticator app. `key` is its secret, sealed for its person."""

    key: str

    class Meta:
        proxy = True
        default_permissions = ()

    @property
    def bin_key(self) -> bytes:
        """The secret. Raises `SealBroken`."""
        return unseal(self.key, purpose=_purpose(self.user_id))

    def verify_token(self, token: Any) -> bool:
        """Whether the code is the secret's, and new. A secret sealed under a key that is going
        is sealed anew; one that no key opens takes no code."""
        try:
            verified = bool(super().verify_token(token))
        except SealBroken as error:
            logger.error("second factor %s: %s", self.pk, error)
            return False
        if verified:
            self.seal_again()
        return verified

    def seal_again(self) -> bool:
        """Seal it under the present key where another did; whether another did. Raises
        `SealBroken`."""
        if is_current(self.key, purpose=_purpose(self.user_id)):
            return False
        self.key = app_key_seal(self.bin_key, user_id=self.user_id)
        self.save(update_fields=["key"])
        return True


class RecoveryDevice(StaticDevice):  # type: ignore[misc]
    """Recovery codes, of which the database has keyed digests."""

    class Meta:
        proxy = True
        default_permissions = ()

    def verify_token(self, token: str) -> bool:
        """Whether it is one of the codes; it is none afterwards."""
        digests = [recovery_code_digest(token, user_id=self.user_id, key=k) for k in known_keys()]
        known = self.token_set.filter(token__in=digests).values_list("token", flat=True).first()
        return bool(super().verify_token(known or digests[0]))


def app_key_make(*, user_id: UUID) -> str:
    """A new secret for an app of this person, sealed."""
    return app_key_seal(token_bytes(_BYTES), user_id=user_id)


def app_key_seal(secret: bytes | str, *, user_id: UUID) -> str:
    """The secret, as bytes or in hex, as `AppDevice.key` has it."""
    raw = unhexlify(secret) if isinstance(secret, str) else secret
    return seal(raw, purpose=_purpose(user_id))


def app_key_open(sealed: str, *, user_id: UUID) -> bytes:
    """The secret. Raises `SealBroken`."""
    return unseal(sealed, purpose=_purpose(user_id))


def recovery_code_digest(code: str, *, user_id: UUID, key: str | None = None) -> str:
    """What the database keeps of a recovery code."""
    return keyed_digest(code, purpose=_purpose(user_id), key=key or known_keys()[0])


def _purpose(user_id: UUID) -> str:
    return f"second factor of {user_id}"
