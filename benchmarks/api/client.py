"""Requests over kept connections, as cheap for the cores as can be: they are the servers'."""

import asyncio
import json
import statistics
import time
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Figures:
    """Requests per second, and latencies in milliseconds."""

    rate: float
    p50: float
    p95: float
    p99: float


def measure(
    port: int, method: str, path: str, *, key: str = "", body: Any = None, count: int, clients: int
) -> Figures:
    """Send `count` requests from so many clients, each one after the other.

    Raises `RuntimeError` where one is not answered with a status of success.
    """
    content = b"" if body is None else json.dumps(body).encode()
    head = f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
    head += f"Authorization: Bearer {key}\r\nContent-Length: {len(content)}\r\n\r\n"
    request = head.encode() + content
    began = time.perf_counter()
    taken = asyncio.run(_all(port, request, count // clients, clients))
    rate = len(taken) / (time.perf_counter() - began)
    cuts = statistics.quantiles([seconds * 1000 for seconds in taken], n=100)
    return Figures(rate, cuts[49], cuts[94], cuts[98])


async def _all(port: int, request: bytes, each: int, clients: int) -> list[float]:
    runs = await asyncio.gather(*(_one(port, request, each) for _ in range(clients)))
    return [seconds for run in runs for seconds in run]


async def _one(port: int, request: bytes, count: int) -> list[float]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    taken = []
    for _ in range(count):
        began = time.perf_counter()
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        length = next(
            int(line.split(b":")[1])
            for line in head.lower().split(b"\r\n")
            if line.startswith(b"content-length:")
        )
        body = await reader.readexactly(length)
        taken.append(time.perf_counter() - began)
        if not head.startswith(b"HTTP/1.1 2"):
            raise RuntimeError(f"{head!r} {body!r}")
    writer.close()
    return taken
