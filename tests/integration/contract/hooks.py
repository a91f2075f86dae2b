"""Keeps schemathesis from what would only be refused for reasons that no schema can say."""

import os
from typing import Any

import schemathesis

OWN_KEY = os.environ["CONTRACT_KEY_ID"]
ANOTHER = "00000000-0000-7000-8000-000000000000"
_sent: dict[str, str] = {}


@schemathesis.hook
def before_call(context: Any, case: Any, kwargs: Any) -> None:
    """It does not revoke or rotate its own key, and takes no Idempotency-Key for two requests."""
    if case.method == "POST" and case.path_parameters.get("key_id") == OWN_KEY:
        case.path_parameters["key_id"] = ANOTHER
    key = (case.headers or {}).get("Idempotency-Key")
    if key is not None and _sent.setdefault(str(key).strip('"'), repr(case.body)) != repr(
        case.body
    ):
        del case.headers["Idempotency-Key"]
