"""Short secrets that the database keeps and must not tell: sealed under `SECRET_KEY`.

Encrypt-then-MAC (Bellare and Namprempre 2000): the pad is one block of HMAC-SHA256 over a random
nonce, the tag another over nonce and ciphertext, each under a key of its own (Django's
`salted_hmac`). Both are bound to a purpose, so that a row's secret is worth nothing in another
row. While a key is changed, those of `SECRET_KEY_FALLBACKS` still open what they sealed.
"""

import base64
import secrets
from typing import Final

from django.conf import settings
from django.utils.crypto import constant_time_compare, salted_hmac

MARK: Final = "s1."
"""What sealed text begins with."""
_NONCE: Final = 16
_TAG: Final = 16
_PAD: Final = 32


class SealBroken(Exception):
    """No key that is known here sealed this, or not for this purpose."""


def seal(secret: bytes, *, purpose: str) -> str:
    """The secret as text that tells nothing without the key: URL-safe base64 behind a mark.

    Raises `ValueError` for a secret of more than 32 bytes.
    """
    if len(secret) > _PAD:
        raise ValueError("only secrets of at most 32 bytes are sealed")
    nonce = secrets.token_bytes(_NONCE)
    body = nonce + _masked(secret, nonce, purpose, settings.SECRET_KEY)
    tag = _tag(body, purpose, settings.SECRET_KEY)
    return MARK + base64.urlsafe_b64encode(body + tag).decode()


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
    body, tag = raw[:-_TAG], raw[-_TAG:]
    for key in known_keys():
        if constant_time_compare(tag, _tag(body, purpose, key)):
            return _masked(body[_NONCE:], body[:_NONCE], purpose, key), key
    raise SealBroken("no key of SECRET_KEY and SECRET_KEY_FALLBACKS opens this")


def _masked(text: bytes, nonce: bytes, purpose: str, key: str) -> bytes:
    pad = salted_hmac(f"config.sealing.pad:{purpose}", nonce, key, algorithm="sha256").digest()
    return bytes(left ^ right for left, right in zip(text, pad, strict=False))


def _tag(body: bytes, purpose: str, key: str) -> bytes:
    tag = salted_hmac(f"config.sealing.tag:{purpose}", body, key, algorithm="sha256").digest()
    return tag[:_TAG]
