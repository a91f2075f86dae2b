"""Pictures by URL are fetched behind the guard of webhooks: bounded, pinned, judged by content."""

import socket
import time
from collections.abc import Callable
from io import BytesIO

import pytest
from PIL import Image

from moderation.fetching import (
    FetchedPicture,
    NoPicture,
    PictureTooHeavy,
    PictureUnanswered,
    PictureURLRefused,
    picture_fetch,
)

Resolve = Callable[..., list[str]]
Serve = Callable[..., int]
Change = Callable[..., None]


def picture(format: str = "PNG", size: tuple[int, int] = (8, 8)) -> bytes:
    file = BytesIO()
    Image.new("RGB", size, "teal").save(file, format)
    return file.getvalue()


def answer(body: bytes, status: str = "200 OK", **headers: str) -> Callable[..., None]:
    """Answers any request so; `heard` of the returned function are the requests."""
    lines = [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    head = "\r\n".join([f"HTTP/1.1 {status}", *lines, "", ""]).encode()

    def answering(connection: socket.socket) -> None:
        answering.heard.append(connection.recv(65536))  # type: ignore[attr-defined]
        connection.sendall(head + body)

    answering.heard = []  # type: ignore[attr-defined]
    return answering


@pytest.fixture(autouse=True)
def _loopback_is_permitted(environment: Change) -> None:
    environment(
        picture_allowed_networks=("127.0.0.1/32",), webhook_allowed_networks=(), picture_seconds=5.0
    )


@pytest.mark.parametrize("format", ["PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF"])
def test_a_picture_is_known_by_its_content(format: str, serve: Serve) -> None:
    content = picture(format)
    server = answer(content, content_type="text/html")
    got = picture_fetch(f"http://127.0.0.1:{serve(server)}/a.exe?b=c")
    assert got == FetchedPicture(content=content, format=format)
    (head,) = server.heard  # type: ignore[attr-defined]
    assert head.startswith(b"GET /a.exe?b=c HTTP/1.1\r\n")
    assert b"accept-encoding: identity" in head.lower()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>no picture</html>",
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"%PDF-1.7",
        picture()[:20],
        picture(size=(700, 7)),
    ],
)
def test_what_is_no_picture_that_may_be_read_is_refused(body: bytes, serve: Serve) -> None:
    server = answer(body, content_type="image/png", content_length=str(len(body)))
    with pytest.raises(NoPicture, match="what came"):
        picture_fetch(f"http://127.0.0.1:{serve(server)}/")


def test_a_decompression_bomb_is_refused_undecoded(serve: Serve) -> None:
    file = BytesIO()
    Image.new("1", (8_000, 8_000)).save(file, "PNG")
    with pytest.raises(NoPicture, match="8000x8000 pixels"):
        picture_fetch(f"http://127.0.0.1:{serve(answer(file.getvalue()))}/")


def test_bytes_are_bounded_whatever_is_declared(serve: Serve, environment: Change) -> None:
    environment(picture_bytes=1000)
    sent: list[int] = []

    def endless(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            connection.sendall(b"x" * 10_000)
            sent.append(10_000)

    with pytest.raises(PictureTooHeavy, match="1000 bytes"):
        picture_fetch(f"http://127.0.0.1:{serve(endless)}/")
    time.sleep(0.2)
    assert sum(sent) < 20_000_000, "the connection is closed at once"
    declared = answer(b"", content_length="1001")
    with pytest.raises(PictureTooHeavy):
        picture_fetch(f"http://127.0.0.1:{serve(declared)}/")


def test_time_is_bounded_in_all(serve: Serve, environment: Change) -> None:
    environment(picture_seconds=0.5)

    def dribble(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        for _ in range(100):
            connection.sendall(b"x")
            time.sleep(0.05)

    began = time.monotonic()
    with pytest.raises(PictureUnanswered, match=r"within 0\.5 s"):
        picture_fetch(f"http://127.0.0.1:{serve(dribble)}/")
    assert time.monotonic() - began < 4


@pytest.mark.parametrize(
    ("server", "why"),
    [
        (answer(b"", "302 Found", location="http://127.0.0.1/"), "leads elsewhere"),
        (answer(picture(), "404 Not Found"), "status 404"),
        (answer(picture(), "206 Partial Content"), "status 206"),
        (answer(picture(), content_encoding="gzip"), "packed"),
        (answer(picture(), content_length="9999"), "no complete HTTP answer"),
    ],
)
def test_other_answers_are_none(server: Callable[..., None], why: str, serve: Serve) -> None:
    with pytest.raises(PictureUnanswered, match=why):
        picture_fetch(f"http://127.0.0.1:{serve(server)}/")


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.2/", "https://127.0.0.2/", "https://10.0.0.1/", "https://[::1]/",
        "https://[::ffff:169.254.169.254]/", "https://[64:ff9b::a9fe:a9fe]/",
        "https://[2002:a9fe:a9fe::]/", "https://169.254.169.254/latest/meta-data/",
        "ftp://example.org/a.png", "file:///etc/passwd", "data:image/png;base64,AAAA",
        "https://user@example.org/", "",
    ],
)  # fmt: skip
def test_the_guard_is_that_of_webhooks(url: str) -> None:
    with pytest.raises(PictureURLRefused):
        picture_fetch(url)


def test_networks_of_webhooks_are_none_of_pictures(environment: Change, serve: Serve) -> None:
    port = serve(answer(picture()))
    environment(webhook_allowed_networks=("127.0.0.0/8",), picture_allowed_networks=())
    with pytest.raises(PictureURLRefused, match="not public"):
        picture_fetch(f"http://127.0.0.1:{port}/")


def test_ports_are_those_of_the_list(environment: Change, serve: Serve) -> None:
    port = serve(answer(picture()))
    environment(outgoing_ports=("443",))
    with pytest.raises(PictureURLRefused, match="not allowed"):
        picture_fetch(f"http://127.0.0.1:{port}/")


def test_a_name_that_is_bound_anew_gains_nothing(resolve: Resolve, serve: Serve) -> None:
    """The name server answers with the permitted address first, with the inner one after."""
    inner: list[bytes] = []

    def secret(connection: socket.socket) -> None:
        inner.append(connection.recv(65536))
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n" + picture())

    port = serve(answer(picture()))
    serve(secret, host="127.0.0.2", port=port)
    asked = resolve("rebind.example", ["127.0.0.1"], ["127.0.0.2"])
    assert picture_fetch(f"http://rebind.example:{port}/").format == "PNG"
    assert asked == ["rebind.example"], "asked once, and connected to what was checked"
    with pytest.raises(PictureURLRefused, match="not public"):
        picture_fetch(f"http://rebind.example:{port}/")
    assert inner == []


def test_no_picture_is_fetched_from_a_public_address_by_http(resolve: Resolve) -> None:
    resolve("pictures.example", ["1.1.1.1"])
    with pytest.raises(PictureURLRefused, match="by https"):
        picture_fetch("http://pictures.example:8443/a.png")
