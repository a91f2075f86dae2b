"""Keeps schemathesis from taking its own key away: it would only be refused from then on."""

import os
from typing import Any

import schemathesis

OWN_KEY = os.environ["CONTRACT_KEY_ID"]
INSTEAD = "00000000-0000-7000-8000-000000000000"


@schemathesis.hook
def before_call(context: Any, case: Any, kwargs: Any) -> None:
    if case.method == "POST" and case.path_parameters.get("key_id") == OWN_KEY:
        case.path_parameters["key_id"] = INSTEAD
