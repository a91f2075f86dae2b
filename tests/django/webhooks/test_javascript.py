"""Receivers in JavaScript: what is sent is verified by `standardwebhooks` from npm, as it is."""

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from webhooks.delivery import delivery_attempt
from webhooks.endpoints import endpoint_create, endpoint_rotate
from webhooks.models import Delivery, DeliveryAttempt, Endpoint

pytestmark = [pytest.mark.services, pytest.mark.django_db]

SOURCE = Path(__file__).with_name("javascript")
MISSING = [name for name in ("node", "npm") if shutil.which(name) is None]


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the locked packages of the receiver."""
    if MISSING:
        pytest.skip(f"no {' and no '.join(MISSING)} here: the JavaScript receiver cannot run")
    folder = tmp_path_factory.mktemp("javascript")
    for name in ("package.json", "package-lock.json"):
        shutil.copy(SOURCE / name, folder)
    done = subprocess.run(
        ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline"],
        cwd=folder, capture_output=True, text=True, timeout=240, check=False,
    )  # fmt: skip
    if "EINTEGRITY" in done.stderr:
        pytest.fail(done.stderr)
    if done.returncode:
        pytest.skip(f"npm cannot install standardwebhooks here: {done.stderr[-300:]}")
    return folder


@contextmanager
def receiver(packages: Path, secret: str) -> Iterator[tuple[str, Callable[[], object]]]:
    """Its URL, and what it verifies next."""
    with subprocess.Popen(
        ["node", SOURCE / "receiver.cjs"], cwd=packages, stdout=subprocess.PIPE, text=True,
        env={**os.environ, "WEBHOOK_SECRET": secret},
    ) as process:  # fmt: skip
        assert process.stdout is not None
        lines = process.stdout
        try:
            yield f"http://127.0.0.1:{int(lines.readline())}/", lambda: json.loads(lines.readline())
        finally:
            process.kill()


def attempt(delivery: Delivery) -> DeliveryAttempt:
    delivery.refresh_from_db()
    Delivery.objects.filter(pk=delivery.pk).update(status="pending", next_attempt_at=timezone.now())
    delivery_attempt(delivery_id=delivery.id, token=delivery.token)
    return delivery.log.latest("number")


def test_what_is_sent_is_verified_in_javascript(
    packages: Path, deliver_to: Callable[[str], Delivery]
) -> None:
    delivery = deliver_to("http://127.0.0.1:1/")
    secret = delivery.endpoint.secret
    with receiver(packages, secret) as (url, verified):
        Endpoint.objects.filter(pk=delivery.endpoint_id).update(url=url)
        assert attempt(delivery).status_code == 204
        event = verified()
        assert isinstance(event, dict)
        assert event["type"] == "job.succeeded"
        assert event["data"] == delivery.event.data | {"sequence": 1}
        endpoint = Endpoint.objects.get(pk=delivery.endpoint_id)
        endpoint_rotate(endpoint=endpoint, overlap=timedelta(hours=1))
        assert attempt(delivery).status_code == 204, "the old secret signs too, for an hour"
        endpoint_rotate(endpoint=endpoint, overlap=timedelta(0))
        refused = attempt(delivery)
        assert refused.status_code == 401
        assert "WebhookVerificationError: No matching signature found" in refused.answer
    with receiver(packages, Endpoint.objects.get(pk=endpoint.pk).secret) as (url, _):
        Endpoint.objects.filter(pk=endpoint.pk).update(url=url)
        assert attempt(delivery).status_code == 204, "the new one is accepted"


def test_a_foreign_secret_verifies_nothing(
    packages: Path, deliver_to: Callable[[str], Delivery]
) -> None:
    delivery = deliver_to("http://127.0.0.1:1/")
    other = endpoint_create(tenant_id=delivery.endpoint.tenant_id, url="http://127.0.0.1:1/")
    with receiver(packages, other.secret) as (url, _):
        Endpoint.objects.filter(pk=delivery.endpoint_id).update(url=url)
        assert attempt(delivery).status_code == 401
