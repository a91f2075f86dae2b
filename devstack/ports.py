"""Free loopback ports."""

from __future__ import annotations

import secrets
import socket
import threading

LOOPBACK = "127.0.0.1"
# Below the range from which Linux takes the local end of outgoing connections, so that a port
# is still free when a service comes back to it after a restart.
LOWEST, HIGHEST = 15_000, 32_000

_handed_out: set[int] = set()
_guard = threading.Lock()


def port_is_free(port: int, host: str = LOOPBACK) -> bool:
    """Whether a server could listen on this port now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        # As servers do: connections still in TIME_WAIT are no obstacle, a listener is one.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
            probe.listen(1)
        except OSError:
            return False
    return True


def free_port(twin: int = 0) -> int:
    """A port nobody listens on and that this process has not been given before.

    With `twin`, the port that many numbers above it is free too and given along.
    """
    with _guard:
        for _ in range(2_000):
            port = LOWEST + secrets.randbelow(HIGHEST - twin - LOWEST)
            pair = {port, port + twin}
            if pair.isdisjoint(_handed_out) and all(port_is_free(one) for one in pair):
                _handed_out.update(pair)
                return port
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])
