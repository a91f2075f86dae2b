"""Keeps schemathesis from what would only be refused for reasons that no schema can say."""

import os
import re
from typing import Any

import requests
import schemathesis

OWN_KEY = os.environ["CONTRACT_KEY_ID"]
AUTHORIZATION = {"Authorization": f"Bearer {os.environ['CONTRACT_KEY']}"}
ANOTHER = "00000000-0000-7000-8000-000000000000"
DURATION = re.compile(r"([0-9]{1,6}h)?([0-9]{1,6}m)?([0-9]{1,6}s?)?")
ROUTES = ("batch", "statistics")
EVENTS = "/api/v1/jobs/{job_id}/events"
_sent: dict[str, str] = {}


@schemathesis.hook
def before_call(context: Any, case: Any, kwargs: Any) -> None:
    """It does not revoke or rotate its own key, takes no Idempotency-Key for two requests, no
    `Cancel-After` out of its range and no name of a route for an id, and follows only jobs that
    end: a stream ends with its job."""
    ids = case.path_parameters or {}
    if case.method == "POST" and ids.get("key_id") == OWN_KEY:
        ids["key_id"] = ANOTHER
    if ids.get("job_id") in ROUTES:
        ids["job_id"] = ANOTHER
    headers = case.headers or {}
    after = headers.get("Cancel-After")
    if after is not None and DURATION.fullmatch(str(after)) and str(after) != "90s":
        case.headers["Cancel-After"] = "90s"
    key = headers.get("Idempotency-Key")
    said = repr((headers.get("Cancel-After"), case.body))
    if key is not None and _sent.setdefault(str(key).strip('"'), said) != said:
        del case.headers["Idempotency-Key"]
    if case.operation.path == EVENTS:
        events = case.as_transport_kwargs()["url"]
        requests.post(events.replace("/events", "/cancel"), headers=AUTHORIZATION, timeout=60)
