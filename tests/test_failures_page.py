"""The pages of failures and of the reference's faults name tests that exist, for each of their
lines at least one."""

import ast
import re
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
DOCS = TESTS.parent / "docs"


def lines(page: str) -> list[str]:
    """The rows of the page's table."""
    text = (DOCS / page).read_text(encoding="utf-8")
    return [line for line in text.splitlines() if re.match(r"\| (?!What)\S", line)]


@pytest.mark.parametrize("line", [*lines("failures.md"), *lines("faults.md")])
def test_the_tests_of_a_line_exist(line: str) -> None:
    named = re.findall(r"`([\w/]+\.py)::(\w+)`", line)
    assert named, line
    for path, name in named:
        defined = {
            node.name
            for node in ast.walk(ast.parse((TESTS / path).read_text(encoding="utf-8")))
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        }
        assert name in defined, f"{path} has no {name}"


def test_every_kind_of_failure_is_there() -> None:
    assert len(lines("failures.md")) == 16


def test_every_fault_is_there() -> None:
    assert [line.split()[1] for line in lines("faults.md")] == [f"F{n}" for n in range(1, 20)]
