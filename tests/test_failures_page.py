"""The page of failures names tests that exist, and at least one for each of its lines."""

import ast
import re
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
PAGE = TESTS.parent / "docs" / "failures.md"
LINES = [
    line for line in PAGE.read_text().splitlines()
    if line.startswith("| ") and not line.startswith("| What")
]  # fmt: skip


@pytest.mark.parametrize("line", LINES)
def test_the_tests_of_a_line_exist(line: str) -> None:
    named = re.findall(r"`([\w/]+\.py)::(\w+)`", line)
    assert named, line
    for path, name in named:
        defined = {
            node.name
            for node in ast.parse((TESTS / path).read_text()).body
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        }
        assert name in defined, f"{path} has no {name}"


def test_every_kind_of_failure_is_there() -> None:
    assert len(LINES) == 16
