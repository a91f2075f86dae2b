"""Short secrets that the database keeps and must not tell: sealed under `SECRET_KEY`.

AES-GCM of the library `cryptography`, under a key that HKDF (RFC 5869) makes of `SECRET_KEY`. What
is sealed is bound to a purpose, so that a row's secret is worth nothing in another row. While a key
is changed, those of `SECRET_KEY_FALLBACKS` still open what they sealed.
"""

import base64
import secrets
from functools import lru_cache
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.utils.crypto import salted_hmac

MARK: Final = "s1."
"""What sealed text begins with."""
_NONCE: Final = 12


class SealBroken(Exception):
    """No key that is known here sealed this, or not for this purpose."""


def seal(secret: bytes, *, purpose: str) -> str:
    """The secret as text that tells nothing without the key: URL-safe base64 behind a mark."""
    nonce = secrets.token_bytes(_NONCE)
    sealed = _cipher(settings.SECRET_KEY).encrypt(nonce, secret, purpose.encode())
    return MARK + base64.urlsafe_b64encode(nonce + sealed).decode()


def unseal(sealed: str, *, purpose: str) -> bytes:
    """The secret. Raises `SealBroken`."""
    return _opened(sealed, purpose)[0]


def is_current(sealed: str, *, purpose: str) -> bool:
    """Whether `SECRET_KEY` sealed this, rather than one of the fallbacks. Raises `SealBroken`."""
    return _opened(sealed, purpose)[1] == settings.SECRET_KEY


def keyed_digest(text: str, *, purpose: str, key: str) -> str:
    """80 bits of HMAC-SHA256 as 16 letters and digits: for codes that are compared, never read."""
    digest = salted_hmac(f"config.sealing.digest:{purpose}", text, key, algorithm="sha256").digest()
    return base64.b32encode(digest[:10]).decode().lower()


def known_keys() -> list[str]:
    """`SECRET_KEY` first, then the fallbacks."""
    return [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]


def _opened(sealed: str, purpose: str) -> tuple[bytes, str]:
    try:
        raw = base64.b64decode(sealed.removeprefix(MARK), altchars=b"-_", validate=True)
    except ValueError:
        raise SealBroken("this was not sealed here") from None
    for key in known_keys():
        try:
            return _cipher(key).decrypt(raw[:_NONCE], raw[_NONCE:], purpose.encode()), key
        except (InvalidTag, ValueError):  # ValueError: too short to hold a nonce
            continue
    raise SealBroken("no key of SECRET_KEY and SECRET_KEY_FALLBACKS opens this")


@lru_cache(maxsize=8)
def _cipher(key: str) -> AESGCM:
    derived = HKDF(SHA256(), length=32, salt=None, info=b"config.sealing").derive(key.encode())
    return AESGCM(derived)
