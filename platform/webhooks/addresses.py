"""Where requests to URLs of tenants may go: public addresses, private ones by permission only.

Tenants choose the URLs, of webhooks and of pictures, so a URL must not become a way into the
network that the workers stand in. The name is looked up once per request, every address it has is
checked, and the connection is made to one of those very addresses: a name server that answers
differently the second time (DNS rebinding) gains nothing. The `Host` header and TLS go on speaking
of the name.
"""

import contextlib
import ipaddress
import logging
import queue
import re
import socket
import ssl
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from typing import Any, Final

import httpcore
import httpx
from django.conf import settings

from webhooks.errors import WebhookHostUnknown, WebhookUnanswered, WebhookURLRefused

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

LONGEST_URL: Final = 2000
LOOK_UP_SECONDS: Final = 5.0
_CHUNK: Final = 16 * 1024
_DEFAULT_PORTS: Final = {"http": 80, "https": 443}

# `is_global` of Python 3.11 passes more than can be reached in public, so IPv6 is narrowed to
# what IANA has opened for global unicast, and these are taken out of what is left.
_PUBLIC_V6: Final = ipaddress.ip_network("2000::/3")
_NEVER_PUBLIC: Final[tuple[Network, ...]] = (
    ipaddress.ip_network("192.0.0.0/24"),  # protocol assignments; a metadata service lives here
    ipaddress.ip_network("192.88.99.0/24"),  # relays of 6to4
    ipaddress.ip_network("168.63.129.16/32"),  # Azure's host, as its virtual machines see it
    ipaddress.ip_network("2001::/23"),  # protocol assignments, Teredo among them
    ipaddress.ip_network("2001:db8::/32"),  # documentation
    ipaddress.ip_network("2002::/16"),  # 6to4: an IPv4 address in disguise
    ipaddress.ip_network("3fff::/20"),  # documentation
)
# Behind a NAT64 every IPv4 receiver looks like this (RFC 6052), so it is judged by what it holds.
# The prefix for local use, 64:ff9b:1::/48 (RFC 8215), is outside 2000::/3 and never public.
_NAT64: Final = ipaddress.ip_network("64:ff9b::/96")

_LABEL = r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
_HOST_NAME: Final = re.compile(rf"(?=.{{1,253}}\Z){_LABEL}(?:\.{_LABEL})*\.?", re.IGNORECASE)

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Rules:
    """What one kind of request may reach: private networks, and ports wherever it goes."""

    allowed_networks: tuple[str, ...]
    ports: tuple[range, ...]

    @classmethod
    def of_webhooks(cls) -> "Rules":
        environment = settings.ENVIRONMENT
        return cls(environment.webhook_allowed_networks, environment.port_ranges())

    @classmethod
    def of_pictures(cls) -> "Rules":
        environment = settings.ENVIRONMENT
        return cls(environment.picture_allowed_networks, environment.port_ranges())

    def port_check(self, port: int) -> None:
        """Raise `WebhookURLRefused` where the port is not on the list."""
        if not any(port in ports for ports in self.ports):
            listed = ", ".join(
                str(ports[0]) if len(ports) == 1 else f"{ports[0]}-{ports[-1]}"
                for ports in self.ports
            )
            raise WebhookURLRefused(f"port {port} is not allowed; allowed are: {listed}")


@dataclass(frozen=True, slots=True)
class Deadline:
    """The moment at which a request must be over, however its time was spent."""

    seconds: float
    at: float

    @classmethod
    def after(cls, seconds: float) -> "Deadline":
        return cls(seconds=seconds, at=time.monotonic() + seconds)

    def left(self) -> float:
        """Seconds left, more than none. Raises `WebhookUnanswered` once it has passed."""
        left = self.at - time.monotonic()
        if left <= 0:
            raise self.missed()
        return left

    def missed(self) -> WebhookUnanswered:
        return WebhookUnanswered(f"no complete answer within {self.seconds:g} s")


def url_check(url: str) -> None:
    """Raise `WebhookURLRefused` where webhooks may not be sent to `url`.

    A name that cannot be resolved yet is let pass with https: every attempt checks anew.
    """
    parsed = url_parse(url)
    try:
        addresses_resolve(
            parsed, deadline=Deadline.after(LOOK_UP_SECONDS), rules=Rules.of_webhooks()
        )
    except (WebhookHostUnknown, WebhookUnanswered) as error:
        if parsed.scheme != "https":
            raise WebhookURLRefused(
                f"http is for permitted networks only, and {parsed.host} cannot be resolved"
            ) from error


def url_parse(url: str) -> httpx.URL:
    """Read `url` with the very parser that requests are made by.

    Raises `WebhookURLRefused` for what no address could make acceptable.
    """
    if len(url) > LONGEST_URL:
        raise WebhookURLRefused(f"the URL is longer than {LONGEST_URL} characters")
    try:
        parsed = httpx.URL(url)
    except httpx.InvalidURL as error:
        raise WebhookURLRefused(f"not a URL: {error}") from error
    if parsed.scheme not in _DEFAULT_PORTS:
        raise WebhookURLRefused("the URL must begin with https:// (or http://)")
    if parsed.userinfo:
        raise WebhookURLRefused("the URL must not carry a user name or password")
    host = parsed.raw_host.decode("ascii")
    if not (_HOST_NAME.fullmatch(host) or _is_ipv6(host)):
        raise WebhookURLRefused("the URL names no valid host")
    if not 1 <= _port(parsed) <= 65535:
        raise WebhookURLRefused("the port of the URL must be between 1 and 65535")
    return parsed


def addresses_resolve(url: httpx.URL, *, deadline: Deadline, rules: Rules) -> tuple[Address, ...]:
    """The addresses of the URL's host, each of them checked, and its port.

    Raises `WebhookURLRefused` if a single one is forbidden, `WebhookHostUnknown` if there is
    none, `WebhookUnanswered` when the look-up outlasts the deadline.
    """
    rules.port_check(_port(url))
    host = url.raw_host.decode("ascii")
    addresses = _look_up(host, _port(url), deadline)
    permitted = [ipaddress.ip_network(network) for network in rules.allowed_networks]
    for address in addresses:
        if _is_within(address, permitted):
            continue
        if not address_is_public(address):
            # What an internal name stands for is for the operator, not for the tenant.
            logger.warning("host %s of a tenant has the forbidden address %s", host, address)
            raise WebhookURLRefused(f"{host} has an address that is not public")
        if url.scheme != "https":
            raise WebhookURLRefused("a public address must be reached by https")
    return addresses


def address_is_public(address: Address) -> bool:
    """Whether the whole internet can route to it; what wraps an IPv4 address counts as that."""
    address = _unwrapped(address)
    if _is_within(address, _NEVER_PUBLIC) or not address.is_global or address.is_multicast:
        return False
    return isinstance(address, IPv4Address) or address in _PUBLIC_V6


class PinnedTransport(httpx.BaseTransport):
    """Sends requests to addresses that were checked, and within one deadline in all.

    Knows neither redirects, proxies nor cookies, and verifies TLS against the URL's name. Apart
    from this domain's errors nothing is raised, neither here nor while the answer is read.
    """

    def __init__(self, deadline: Deadline, rules: Rules) -> None:
        self._deadline = deadline
        self._rules = rules

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        addresses = addresses_resolve(request.url, deadline=self._deadline, rules=self._rules)
        pool = httpcore.ConnectionPool(
            ssl_context=tls_context() if request.url.scheme == "https" else None,
            network_backend=_PinnedBackend(addresses, self._deadline),
        )
        assert isinstance(request.stream, httpx.SyncByteStream)
        try:
            with _translated(self._deadline):
                response = pool.handle_request(
                    httpcore.Request(
                        method=request.method,
                        url=httpcore.URL(
                            scheme=request.url.raw_scheme,
                            host=request.url.raw_host,
                            port=request.url.port,
                            target=request.url.raw_path,
                        ),
                        headers=request.headers.raw,
                        content=request.stream,
                    )
                )
        except BaseException:
            pool.close()
            raise
        return httpx.Response(
            status_code=response.status,
            headers=response.headers,
            stream=_Answer(pool, response, self._deadline),
            request=request,
        )


@cache
def tls_context() -> ssl.SSLContext:
    """Verifies names and chains; read once, for the certificates are many."""
    return httpx.create_ssl_context()


class _Answer(httpx.SyncByteStream):
    """The body of an answer, which ends its connection when closed."""

    def __init__(
        self, pool: httpcore.ConnectionPool, response: httpcore.Response, deadline: Deadline
    ) -> None:
        self._pool = pool
        self._response = response
        self._deadline = deadline

    def __iter__(self) -> Iterator[bytes]:
        with _translated(self._deadline):
            yield from self._response.iter_stream()

    def close(self) -> None:
        self._response.close()
        self._pool.close()


class _PinnedBackend(httpcore.NetworkBackend):
    """Connects to the given addresses in their order, whatever name it is asked for."""

    def __init__(self, addresses: Sequence[Address], deadline: Deadline) -> None:
        self._addresses = addresses
        self._deadline = deadline
        self._sockets = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        *first, last = self._addresses
        for position, address in enumerate(first):
            # A share of the time, so that one dead address leaves some to the others.
            share = self._deadline.left() / (len(self._addresses) - position)
            with contextlib.suppress(httpcore.ConnectError, httpcore.ConnectTimeout):
                return self._connect(address, port, share)
        return self._connect(last, port, self._deadline.left())

    def _connect(self, address: Address, port: int, seconds: float) -> httpcore.NetworkStream:
        return _TimedStream(
            self._sockets.connect_tcp(str(address), port, timeout=seconds), self._deadline
        )


class _TimedStream(httpcore.NetworkStream):
    """A connection on which each step gets what is left of the whole time, and no more."""

    def __init__(self, stream: httpcore.NetworkStream, deadline: Deadline) -> None:
        self._stream = stream
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, timeout=self._deadline.left())

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        for start in range(0, len(buffer), _CHUNK):
            self._stream.write(buffer[start : start + _CHUNK], timeout=self._deadline.left())

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        return _TimedStream(
            self._stream.start_tls(ssl_context, server_hostname, timeout=self._deadline.left()),
            self._deadline,
        )

    def close(self) -> None:
        self._stream.close()

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


@contextlib.contextmanager
def _translated(deadline: Deadline) -> Iterator[None]:
    try:
        yield
    except httpcore.TimeoutException as error:
        raise deadline.missed() from error
    except httpcore.ConnectError as error:
        raise WebhookUnanswered(f"no connection: {error}") from error
    except httpcore.ProtocolError as error:
        raise WebhookUnanswered(f"no complete HTTP answer: {error}") from error
    except httpcore.NetworkError as error:
        raise WebhookUnanswered(f"the connection broke: {error}") from error


def _look_up(host: str, port: int, deadline: Deadline) -> tuple[Address, ...]:
    """Ask the resolver in a thread of its own, for it knows no time limit."""
    answers: queue.SimpleQueue[list[str] | Exception] = queue.SimpleQueue()

    def ask() -> None:
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            answers.put([str(entry[4][0]) for entry in found])
        except (OSError, UnicodeError) as error:
            answers.put(error)

    threading.Thread(target=ask, name="webhook-look-up", daemon=True).start()
    try:
        found = answers.get(timeout=deadline.left())
    except queue.Empty:
        raise WebhookUnanswered(f"{host} was not resolved in time") from None
    if isinstance(found, Exception):
        raise WebhookHostUnknown(f"{host} cannot be resolved: {found}") from found
    if not found:
        raise WebhookHostUnknown(f"{host} has no address")
    return tuple(ipaddress.ip_address(text) for text in dict.fromkeys(found))


def _unwrapped(address: Address) -> Address:
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return address.ipv4_mapped
        if address in _NAT64:
            return IPv4Address(int(address) & 0xFFFFFFFF)
    return address


def _is_within(address: Address, networks: Iterable[Network]) -> bool:
    return any(address in network or _unwrapped(address) in network for network in networks)


def _is_ipv6(host: str) -> bool:
    try:
        return IPv6Address(host).scope_id is None
    except ValueError:
        return False


def _port(url: httpx.URL) -> int:
    return _DEFAULT_PORTS[url.scheme] if url.port is None else url.port
