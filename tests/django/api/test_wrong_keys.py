"""Attempts with wrong keys: bounded per address, logged without the secret, with Redis or not."""

import logging
import secrets
from ipaddress import ip_address
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from accounts import authentication, guessing
from accounts.guessing import Guesses
from accounts.models import APIKey, Scope, Tenant
from accounts.services import api_key_create, api_key_revoke
from devstack.stack import Stack

pytestmark = [pytest.mark.services, pytest.mark.django_db]

JOBS = "/api/v1/jobs"
BOUND = 3


@pytest.fixture(autouse=True)
def _bound(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.ENVIRONMENT = settings.ENVIRONMENT.model_copy(
        update={"quota_failed_attempts_per_minute": BOUND}
    )
    monkeypatch.setattr(authentication, "GUESSES", Guesses())
    at(monkeypatch, 60_000_030.0)


@pytest.fixture
def address() -> str:
    """One that no other test, and no run before, has counted, written as it is logged."""
    network = f"2001:db8:{secrets.token_hex(2)}:{secrets.token_hex(2)}"
    return str(ip_address(f"{network}::1"))


def at(monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    monkeypatch.setattr(guessing, "time", SimpleNamespace(time=lambda: seconds))


def get(address: str, key: str) -> Any:
    client = Client(REMOTE_ADDR=address, headers={"Authorization": f"Bearer {key}"})
    return client.get(JOBS)


def guess(address: str) -> tuple[int, str]:
    response = get(address, f"el_{secrets.token_hex(6)}_{secrets.token_urlsafe(32)}")
    return response.status_code, response.json()["code"]


WRONG = (401, "invalid_key")
ENOUGH = (429, "too_many_failed_attempts")


def test_attempts_are_bounded_per_address_and_minute(
    tenant: Tenant, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, key = api_key_create(tenant=tenant, name="k", scopes=[Scope.JOBS_READ])
    assert [guess(address) for _ in range(BOUND + 2)] == [WRONG] * BOUND + [ENOUGH] * 2
    response = get(address, key)
    assert (response.status_code, response["Retry-After"]) == (429, "30")
    assert "RateLimit" not in response
    assert guess(address.removesuffix("1") + "2") == ENOUGH, "the same /64"
    with CaptureQueriesContext(connection) as queries:
        guess(address)
    assert not queries.captured_queries, "the database is not asked"
    elsewhere = get("192.0.2.1", key)
    assert elsewhere.status_code == 200, "other addresses are not concerned"
    at(monkeypatch, 60_000_061.0)
    assert get(address, key).status_code == 200


def test_all_processes_count_together(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(BOUND):
        guess(address)
    monkeypatch.setattr(authentication, "GUESSES", Guesses())  # as another process has it
    assert guess(address) == WRONG, "it learns of the others by its own first failure"
    assert guess(address) == ENOUGH


def test_with_redis_away_each_process_keeps_the_bound(address: str, stack: Stack) -> None:
    stack.stop_redis()
    try:
        assert [guess(address) for _ in range(BOUND + 1)] == [WRONG] * BOUND + [ENOUGH]
    finally:
        stack.start_redis()


def test_more_addresses_than_are_told_apart_share_a_bound(
    monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    monkeypatch.setattr(guessing, "MOST_ADDRESSES", 1)
    guess(address)
    others = [f"2001:db8:{secrets.token_hex(2)}:{n}::1" for n in range(BOUND + 1)]
    assert [guess(other) for other in others] == [WRONG] * BOUND + [ENOUGH]
    assert guess(address) == WRONG


def test_a_right_secret_of_an_ended_key_is_no_guess(tenant: Tenant, address: str) -> None:
    row, key = api_key_create(tenant=tenant, name="k", scopes=[Scope.JOBS_READ])
    api_key_revoke(key=row)
    for _ in range(BOUND + 2):
        assert get(address, key).status_code == 401
    assert guess(address) == WRONG


def test_refusals_are_logged_without_the_secret(
    tenant: Tenant, address: str, caplog: pytest.LogCaptureFixture
) -> None:
    row, key = api_key_create(tenant=tenant, name="k", scopes=[Scope.JOBS_READ])
    wrong = key[:-4] + "AAAA"
    with caplog.at_level(logging.WARNING):
        get(address, wrong)
        get(address, "hunter2-is-a-password-of-something-else")
    assert f"key {row.prefix} refused from {address}: there is no such key" in caplog.text
    assert "key ? refused" in caplog.text
    assert wrong.split("_", 2)[2] not in caplog.text
    assert "hunter2" not in caplog.text


@pytest.mark.parametrize(
    "key",
    [
        "el",
        "el_",
        "el__",
        "el_x_y",
        "EL_0_0",
        "_",
        "el_\u00e4_\u00f6",
        "el_000000000000_" + "x" * 5000,
    ],
)
def test_what_is_no_key_is_refused_like_a_wrong_one(key: str, address: str) -> None:
    response = get(address, key)
    assert (response.status_code, response.json()["code"]) == WRONG
    assert "WWW-Authenticate" in response


def test_comparison_is_by_digest_in_constant_time(
    tenant: Tenant, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every attempt costs two comparisons by `secrets.compare_digest`, row or no row."""
    from accounts import services

    compared: list[tuple[str, str]] = []
    real = secrets.compare_digest

    def compare(one: str, other: str) -> bool:
        compared.append((one, other))
        return real(one, other)

    monkeypatch.setattr(services.secrets, "compare_digest", compare)
    row, key = api_key_create(tenant=tenant, name="k", scopes=[Scope.JOBS_READ])
    get(address, key)
    get(address, "el_000000000000_" + "x" * 43)
    assert len(compared) == 4
    assert all(len(one) == len(other) == 64 for one, other in compared)
    assert compared[0][0] == APIKey.objects.get(pk=row.pk).digest
