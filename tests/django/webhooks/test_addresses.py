"""Webhooks go to public addresses, and to others by permission only, whatever a URL looks like."""

import ipaddress
import shutil
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from webhooks.addresses import (
    Deadline,
    PinnedTransport,
    Rules,
    address_is_public,
    tls_context,
    url_check,
)
from webhooks.errors import WebhookUnanswered, WebhookURLRefused

Resolve = Callable[..., list[str]]
Serve = Callable[..., int]
Change = Callable[..., None]

PRIVATE = ["10.0.0.1", "127.0.0.1", "169.254.169.254", "192.168.1.1", "172.31.0.9"]


@pytest.fixture(autouse=True)
def nothing_is_permitted(environment: Change) -> None:
    environment(webhook_allowed_networks=())


@pytest.mark.parametrize(
    "address",
    [
        *PRIVATE,
        "0.0.0.0",  # noqa: S104
        "100.64.0.1",
        "100.100.100.200",
        "168.63.129.16",
        "192.0.0.192",
        "192.0.2.1",
        "192.88.99.1",
        "198.18.0.1",
        "203.0.113.5",
        "224.0.0.1",
        "239.255.255.250",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::127.0.0.1",
        "::ffff:127.0.0.1",
        "::ffff:10.1.2.3",
        "64:ff9b::10.1.2.3",
        "64:ff9b::169.254.169.254",
        "::ffff:0:10.1.2.3",
        "2002:a9fe:a9fe::1",
        "2002:0a01:0203::",
        "64:ff9b:1::1",
        "100::1",
        "2001::1",
        "2001:db8::1",
        "2002:7f00:1::1",
        "3fff::1",
        "4000::1",
        "fc00::1",
        "fd00:ec2::254",
        "fe80::1",
        "fe80::1%1",
        "fec0::1",
        "ff02::1",
    ],
)
def test_an_address_that_not_everybody_can_reach_is_not_public(address: str) -> None:
    assert not address_is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize(
    "address",
    ["1.1.1.1", "93.184.216.34", "2606:4700::1111", "::ffff:1.1.1.1", "64:ff9b::1.1.1.1"],
)
def test_an_address_of_the_internet_is_public(address: str) -> None:
    assert address_is_public(ipaddress.ip_address(address))


@given(st.ip_addresses(v=4))
def test_no_disguise_makes_an_address_public(address: ipaddress.IPv4Address) -> None:
    number = int(address)
    nat64 = 0x64FF9B << 96
    for disguise in (number, 0xFFFF << 32 | number, 0x2002 << 112 | number << 80, nat64 | number):
        wrapped = ipaddress.IPv6Address(disguise)
        assert not address_is_public(wrapped) or address_is_public(address)


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("ftp://1.1.1.1/", "must begin with https"),
        ("file:///etc/passwd", "must begin with https"),
        ("//1.1.1.1/", "must begin with https"),
        ("", "must begin with https"),
        ("https://user@1.1.1.1/", "user name"),
        ("https://:secret@1.1.1.1/", "user name"),
        ("https://1.1.1.1\\@10.0.0.1/", "user name"),
        ("https:///hooks", "no valid host"),
        ("https://two..dots/", "no valid host"),
        ("https://a b/", "no valid host"),
        ("https://" + "a" * 64 + ".example/", "no valid host"),
        ("https://[fe80::1%251]/", "no valid host"),
        ("https://[::1/", "not a URL"),
        ("https://1.1.1.1/\n", "not a URL"),
        ("https://1.1.1.1/\x00", "not a URL"),
        ("https://1.1.1.1:0/", "port"),
        ("https://1.1.1.1:65536/", "port"),
        ("https://1.1.1.1/" + "a" * 2000, "longer than"),
        ("http://1.1.1.1/", "by https"),
        ("http://name.invalid/", "cannot be resolved"),
    ],
)
def test_a_url_is_refused_with_a_reason(url: str, why: str, resolve: Resolve) -> None:
    resolve("name.invalid", [])
    with pytest.raises(WebhookURLRefused, match=why):
        url_check(url)


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "127.1", "2130706433", "0x7f000001", "0177.0.0.1", "[::1]", "[::ffff:7f00:1]"],
)
def test_loopback_is_refused_however_it_is_written(scheme: str, host: str) -> None:
    with pytest.raises(WebhookURLRefused, match=r"not public|not a URL"):
        url_check(f"{scheme}://{host}:8000/")


@pytest.mark.parametrize("private", PRIVATE)
def test_one_private_address_among_public_ones_is_enough(private: str, resolve: Resolve) -> None:
    resolve("hooks.example", ["1.1.1.1", private])
    with pytest.raises(WebhookURLRefused) as refused:
        url_check("https://hooks.example/")
    # The tenant is not told what a name of the inner network stands for.
    assert str(refused.value) == "hooks.example has an address that is not public"


def test_public_https_is_accepted(resolve: Resolve) -> None:
    resolve("hooks.example", ["1.1.1.1", "2606:4700::1111"])
    url_check("https://hooks.example/")
    url_check("https://hooks.example:8443/a?b=c")
    url_check("https://1.1.1.1/")


def test_only_ports_of_the_list_may_be_reached(environment: Change, resolve: Resolve) -> None:
    resolve("hooks.example", ["1.1.1.1"])
    environment(outgoing_ports=("443", "8000-8002"), webhook_allowed_networks=("10.0.0.0/8",))
    for port in ("", ":443", ":8000", ":8002"):
        url_check(f"https://hooks.example{port}/")
    for port in (":22", ":80", ":6379", ":7999", ":8003"):
        with pytest.raises(WebhookURLRefused, match=r"not allowed; allowed are: 443, 8000-8002"):
            url_check(f"https://hooks.example{port}/")
    # The list holds in permitted networks too, and for http, whose own port is 80.
    url_check("http://10.0.0.1:8000/")
    for url in ("http://10.0.0.1/", "http://10.0.0.1:6379/"):
        with pytest.raises(WebhookURLRefused, match="is not allowed"):
            url_check(url)


def test_a_port_is_looked_at_at_every_attempt(environment: Change, serve: Serve) -> None:
    environment(webhook_allowed_networks=("127.0.0.1/32",))
    port = serve(answering([]))
    assert get(f"http://127.0.0.1:{port}/").status_code == 200
    environment(outgoing_ports=("443",))
    with pytest.raises(WebhookURLRefused, match=f"port {port} is not allowed"):
        get(f"http://127.0.0.1:{port}/")


def test_a_name_without_an_address_yet_is_accepted_with_https(resolve: Resolve) -> None:
    resolve("soon.example", [])
    url_check("https://soon.example/")


def test_a_permitted_network_may_be_reached_by_http(environment: Change, resolve: Resolve) -> None:
    environment(webhook_allowed_networks=("10.1.0.0/16", "fd00::/8"))
    url_check("http://10.1.2.3/")
    url_check("http://[::ffff:10.1.2.3]/")
    url_check("http://[fd00::7]/")
    resolve("mixed.example", ["10.1.2.3", "1.1.1.1"])
    with pytest.raises(WebhookURLRefused, match="by https"):
        url_check("http://mixed.example/")
    with pytest.raises(WebhookURLRefused, match="not public"):
        url_check("https://10.2.0.1/")


def test_the_connection_goes_to_the_address_that_was_checked(
    environment: Change, resolve: Resolve, serve: Serve
) -> None:
    """DNS rebinding: the second answer of the name server is never asked for."""
    environment(webhook_allowed_networks=("127.0.0.1/32",))
    heads: list[bytes] = []
    elsewhere: list[bytes] = []
    port = serve(answering(heads))
    serve(answering(elsewhere), host="127.0.0.2", port=port)
    asked = resolve("rebind.example", ["127.0.0.1"], ["127.0.0.2"])

    assert get(f"http://rebind.example:{port}/").status_code == 200
    assert asked == ["rebind.example"]
    assert f"Host: rebind.example:{port}".encode() in heads[0]
    with pytest.raises(WebhookURLRefused, match="not public"):
        get(f"http://rebind.example:{port}/")
    assert elsewhere == []


def test_an_address_that_is_dead_leaves_its_turn_to_the_next(
    environment: Change, resolve: Resolve, serve: Serve
) -> None:
    environment(webhook_allowed_networks=("127.0.0.0/8",))
    port = serve(answering([]))
    resolve("two.example", ["127.0.0.3", "127.0.0.1"])
    assert get(f"http://two.example:{port}/").status_code == 200
    resolve("two.example", ["127.0.0.3", "127.0.0.4"])
    with pytest.raises(WebhookUnanswered, match="no connection"):
        get(f"http://two.example:{port}/")


def test_a_slow_name_server_takes_no_longer_than_the_deadline(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    answered = threading.Event()

    def look_up(*args: object, **kwargs: object) -> list[object]:
        answered.wait(10)
        return []

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    started = time.monotonic()
    with pytest.raises(WebhookUnanswered, match="not resolved in time"):
        get("https://slow.example/", seconds=0.2)
    assert time.monotonic() - started < 3
    answered.set()


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl makes the certificate")
def test_tls_is_verified_for_the_name_not_for_the_address(
    environment: Change,
    resolve: Resolve,
    serve: Serve,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    environment(webhook_allowed_networks=("127.0.0.0/8",))
    names: list[str | None] = []
    server = certified(tmp_path, "hooks.example")
    server.sni_callback = lambda _, name, __: names.append(name)

    def secured(connection: socket.socket) -> None:
        with server.wrap_socket(connection, server_side=True) as secure:
            answering([])(secure)

    port = serve(secured)
    resolve("hooks.example", ["127.0.0.1"])
    resolve("other.example", ["127.0.0.1"])
    tls_context.cache_clear()
    with pytest.raises(WebhookUnanswered, match="CERTIFICATE_VERIFY_FAILED"):
        get(f"https://hooks.example:{port}/")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "certificate.pem"))
    tls_context.cache_clear()
    try:
        assert get(f"https://hooks.example:{port}/").status_code == 200
        assert names[-1] == "hooks.example"
        with pytest.raises(WebhookUnanswered, match="Hostname mismatch"):
            get(f"https://other.example:{port}/")
        with pytest.raises(WebhookUnanswered, match="IP address mismatch"):
            get(f"https://127.0.0.1:{port}/")
    finally:
        tls_context.cache_clear()


def test_a_handshake_that_never_ends_is_cut_off(environment: Change, serve: Serve) -> None:
    environment(webhook_allowed_networks=("127.0.0.0/8",))

    def dribble(connection: socket.socket) -> None:
        for byte in b"\x16\x03\x03\x40\x00\x02" + b"\x00" * 200:
            connection.sendall(bytes([byte]))
            time.sleep(0.05)

    started = time.monotonic()
    with pytest.raises(WebhookUnanswered, match=r"no complete answer within 0\.4 s"):
        get(f"https://127.0.0.1:{serve(dribble)}/", seconds=0.4)
    assert time.monotonic() - started < 3


def get(url: str, seconds: float = 5.0) -> httpx.Response:
    transport = PinnedTransport(Deadline.after(seconds), Rules.of_webhooks())
    response = transport.handle_request(httpx.Request("GET", url))
    response.read()
    response.close()
    return response


def answering(heads: list[bytes]) -> Callable[[socket.socket], None]:
    def answer(connection: socket.socket) -> None:
        heads.append(connection.recv(65536))
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")

    return answer


def certified(folder: Path, name: str) -> ssl.SSLContext:
    """A TLS server that can show a certificate for `name`, signed by itself."""
    key, certificate = folder / "key.pem", folder / "certificate.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
         "-nodes", "-days", "1", "-subj", f"/CN={name}", "-addext", f"subjectAltName=DNS:{name}",
         "-keyout", str(key), "-out", str(certificate)],
        check=True,
        capture_output=True,
    )  # fmt: skip
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return context
