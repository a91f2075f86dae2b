"""The circuit breaker by a clock of its own."""

from contextlib import suppress
from threading import Barrier, Thread

import pytest

from ethical_lens.text.llm.breaker import CircuitBreaker
from ethical_lens.text.llm.errors import CircuitOpen, LlmUnavailable


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def fail(breaker: CircuitBreaker) -> None:
    with suppress(LlmUnavailable), breaker.call():
        raise LlmUnavailable("down")


def is_open(breaker: CircuitBreaker) -> bool:
    try:
        with breaker.call():
            raise ZeroDivisionError  # neither success nor failure
    except CircuitOpen:
        return True
    except ZeroDivisionError:
        return False


def test_only_failures_in_a_row_open_it() -> None:
    breaker = CircuitBreaker(2, 10, Clock())
    fail(breaker)
    with breaker.call():
        pass
    fail(breaker)
    assert not is_open(breaker)
    fail(breaker)
    assert is_open(breaker)


def test_after_a_while_one_trial_is_let_through() -> None:
    clock = Clock()
    breaker = CircuitBreaker(1, 10, clock)
    fail(breaker)
    clock.now += 9.9
    assert is_open(breaker)
    clock.now += 0.2
    assert not is_open(breaker)  # a trial that says nothing
    assert is_open(breaker)
    clock.now += 10.1
    with breaker.call():
        pass
    assert not is_open(breaker)


def test_of_many_at_once_one_is_the_trial() -> None:
    clock = Clock()
    breaker = CircuitBreaker(1, 10, clock)
    fail(breaker)
    clock.now += 11
    barrier, admitted = Barrier(8), list[int]()

    def call(number: int) -> None:
        barrier.wait()
        with suppress(CircuitOpen, LlmUnavailable), breaker.call():
            admitted.append(number)
            raise LlmUnavailable("down")

    threads = [Thread(target=call, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(admitted) == 1


def test_an_open_circuit_is_a_server_that_is_not_there() -> None:
    breaker = CircuitBreaker(1, 10, Clock())
    fail(breaker)
    with pytest.raises(LlmUnavailable, match="1 times in a row"), breaker.call():
        pass
