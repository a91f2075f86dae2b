"""Traces as W3C Trace Context has them."""

import logging

import pytest

from config.tracing import TraceFilter, trace_enter, traced, traceparent_next

TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
GIVEN = f"00-{TRACE}-{PARENT}-01"


def parts(header: str) -> tuple[str, str, str, str]:
    version, trace, parent, flags = header.split("-")
    return version, trace, parent, flags


def logged() -> str:
    record = logging.LogRecord("test", logging.INFO, "file", 1, "said", (), None)
    assert TraceFilter().filter(record)
    return str(record.trace_id)  # type: ignore[attr-defined]


def test_the_next_hop_is_of_the_same_trace_and_names_itself() -> None:
    version, trace, parent, flags = parts(traceparent_next(GIVEN))
    assert (version, trace, flags) == ("00", TRACE, "01")
    assert parent != PARENT
    assert len(parent) == 16


@pytest.mark.parametrize(
    "given",
    [
        "",
        "nonsense",
        f"00-{TRACE}-{PARENT}",
        f"00-{TRACE.upper()}-{PARENT}-01",
        f"00-{'0' * 32}-{PARENT}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"ff-{TRACE}-{PARENT}-01",
        f"00-{TRACE}-{PARENT}-01-more",
    ],
)
def test_what_is_malformed_begins_a_new_trace(given: str) -> None:
    first, second = (parts(traceparent_next(given)) for _ in range(2))
    assert TRACE not in {first[1], second[1]}
    assert first[1] != second[1]
    assert first[3] == "00"


def test_a_later_version_is_read_as_far_as_it_is_known() -> None:
    assert parts(traceparent_next(f"01-{TRACE}-{PARENT}-01-more"))[1] == TRACE


def test_what_is_done_on_behalf_of_a_trace_is_logged_under_it() -> None:
    assert logged() == "-"
    with traced(GIVEN):
        assert logged() == TRACE
        assert parts(traceparent_next())[1] == TRACE
        with traced(""):
            assert logged() not in {TRACE, "-"}
        assert logged() == TRACE
    assert logged() == "-"


def test_a_task_leaves_no_trace_to_the_next() -> None:
    trace_enter(GIVEN)
    assert logged() == TRACE
    trace_enter("")
    assert logged() == "-"
