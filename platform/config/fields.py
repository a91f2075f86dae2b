"""Fields that several schemas of the API share."""

import unicodedata
from datetime import UTC, datetime
from typing import Annotated, Any, Final

from pydantic import AwareDatetime, BeforeValidator, Field

Moment = Annotated[
    AwareDatetime, Field(ge=datetime(1970, 1, 2, tzinfo=UTC), lt=datetime(9999, 1, 1, tzinfo=UTC))
]


def _whole(value: Any) -> Any:
    """JSON knows one kind of number: 4.0 is 4 (JSON Schema 2020-12, 6.1.1)."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


WHOLE: Final = BeforeValidator(_whole)
"""To stand behind the bounds of an `int` that may be null: else they are lost from its schema."""
Whole = Annotated[int, Field(strict=True), WHOLE]
"""A whole number, neither text nor true or false."""

_PLAIN: Final = r"[^\u0000-\u001f\u007f-\u009f]"
_VISIBLE: Final = r"[^\s\u0000-\u001f\u007f-\u009f]"
PLAIN: Final = {"pattern": f"^{_PLAIN}*$"}
"""What `plain_text` lets pass, as a schema says it (lone surrogates are no characters there)."""
PLAIN_NOT_BLANK: Final = {"pattern": f"^{_PLAIN}*{_VISIBLE}{_PLAIN}*$"}


def plain_text(value: str) -> str:
    """The text as it is. Raises `ValueError` where it has a control character or a lone half of
    a surrogate pair."""
    for character in value:
        if unicodedata.category(character) in {"Cc", "Cs"}:
            raise ValueError(
                f"the character U+{ord(character):04X} is not allowed; write plain text on one line"
            )
    return value
