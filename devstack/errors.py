"""What may go wrong here, said so that the person at the terminal can act on it."""

from __future__ import annotations

from pathlib import Path

LOG_LINES_SHOWN = 8


class StackError(Exception):
    """The one base error of this package; its text is meant to be printed as it is."""


class PortInUse(StackError):
    """Another process listens where a service should."""


class Interrupted(StackError):
    """The start was given up because somebody asked for a stop."""


def log_tail(log: Path, lines: int = LOG_LINES_SHOWN) -> list[str]:
    """The last non-empty lines of a log file; none if it cannot be read."""
    try:
        with log.open("rb") as file:
            file.seek(0, 2)
            file.seek(max(0, file.tell() - 16_384))
            text = file.read().decode("utf-8", "replace")
    except OSError:
        return []
    return [line.rstrip() for line in text.splitlines() if line.strip()][-lines:]


def with_log(message: str, log: Path) -> str:
    """The message, the log's name, and below it the log's last lines."""
    tail = log_tail(log)
    if not tail:
        return f"{message} (log: {log}, empty)"
    return "\n".join([f"{message} (log: {log}); it ends with:", *(f"  | {line}" for line in tail)])
