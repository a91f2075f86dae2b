"""The client's address: believed only as far as proxies wrote it that the operator trusts."""

import pytest
from django.test import RequestFactory
from pytest_django import Settings

from config.addresses import address_within, client_address

PROXY = "10.0.0.1"


def seen(settings: Settings, remote: str, forwarded: str | None, *trusted: str) -> str:
    settings.ENVIRONMENT = settings.ENVIRONMENT.model_copy(update={"trusted_proxies": trusted})
    headers = {} if forwarded is None else {"X-Forwarded-For": forwarded}
    request = RequestFactory(REMOTE_ADDR=remote).get("/", headers=headers)
    return str(client_address(request))


@pytest.mark.parametrize(
    ("remote", "forwarded", "trusted", "expected"),
    [
        ("198.51.100.7", None, (), "198.51.100.7"),
        ("198.51.100.7", "1.1.1.1", (), "198.51.100.7"),
        ("198.51.100.7", "1.1.1.1", ("10.0.0.0/8",), "198.51.100.7"),
        (PROXY, "1.1.1.1", ("10.0.0.0/8",), "1.1.1.1"),
        # What stands before the last hop that is not ours was written by the client.
        (PROXY, "8.8.8.8, 1.1.1.1", ("10.0.0.0/8",), "1.1.1.1"),
        (PROXY, "10.9.9.9, 1.1.1.1, 10.0.0.2", ("10.0.0.0/8",), "1.1.1.1"),
        (PROXY, "10.0.0.3, 10.0.0.2", ("10.0.0.0/8",), "10.0.0.3"),
        (PROXY, None, ("10.0.0.0/8",), PROXY),
        (PROXY, "", ("10.0.0.0/8",), PROXY),
        (PROXY, "1.1.1.1, nonsense", ("10.0.0.0/8",), "None"),
        (PROXY, "1.1.1.1, unknown", ("10.0.0.0/8",), "None"),
        (PROXY, "nonsense, 1.1.1.1", ("10.0.0.0/8",), "1.1.1.1"),
        (PROXY, "1.1.1.1:4711", ("10.0.0.0/8",), "1.1.1.1"),
        (PROXY, "[2001:db8::7]:4711", ("10.0.0.0/8",), "2001:db8::7"),
        (PROXY, "::ffff:1.1.1.1", ("10.0.0.0/8",), "1.1.1.1"),
        ("::ffff:10.0.0.1", "1.1.1.1", ("10.0.0.0/8",), "1.1.1.1"),
        ("fd00::1", "2001:db8::7", ("fd00::/8",), "2001:db8::7"),
        ("", "1.1.1.1", ("0.0.0.0/0",), "None"),
    ],
)
def test_the_clients_address(
    remote: str, forwarded: str | None, trusted: tuple[str, ...], expected: str, settings: Settings
) -> None:
    assert seen(settings, remote, forwarded, *trusted) == expected


def test_an_unknown_address_is_in_no_network() -> None:
    assert not address_within(None, ["0.0.0.0/0", "::/0"])
