"""Prompts in bulk: order kept, nothing judged safe that was not read, no bad row ends the run."""

import csv
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from ethical_lens.console.command_line import main
from ethical_lens.console.prompts import COLUMNS

ROOT = Path(__file__).resolve().parents[3]


def written(file: Path, text: str | bytes) -> Path:
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return file


def rows_of(file: Path, delimiter: str = ",") -> list[dict[str, str]]:
    with file.open(encoding="utf-8", errors="surrogateescape", newline="") as stream:
        return list(csv.DictReader(stream, delimiter=delimiter))


def judged(folder: Path, text: str | bytes, *options: str) -> list[dict[str, str]]:
    """The rows that a run over a file with `text` writes."""
    file, out = written(folder / "in.csv", text), folder / "out.csv"
    assert main(["prompts", str(file), "--out", str(out), "--processes", "1", *options]) == 0
    return rows_of(out)


def test_the_script_keeps_order_and_columns_on_two_processes(
    tmp_path: Path, console: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    prompts = [f"a doctor in house number {i}" for i in range(300)]
    prompts[150] = "a bloody knife fight"
    lines = [f"{i},{prompt}" for i, prompt in enumerate(prompts)]
    file = written(tmp_path / "in.csv", "\n".join(["id,text", *lines]))
    out = tmp_path / "out.csv"

    done = console(
        "prompts", file, "--column", "text", "--aligner", "rules", "--out", out, "--processes", 2
    )

    assert done.returncode == 0, done.stderr
    assert "300/300" in done.stderr  # the progress bar
    rows = rows_of(out)
    assert list(rows[0]) == ["id", "text", *COLUMNS]
    assert [row["text"] for row in rows] == prompts
    assert [row["id"] for row in rows] == [str(i) for i in range(300)]
    assert {row["label"] for i, row in enumerate(rows) if i != 150} == {"K0"}
    assert rows[150]["label"] in {"K1", "K2"}


def test_a_row_says_all_that_was_found(tmp_path: Path) -> None:
    safe, rewritten, blocked = judged(
        tmp_path, 'prompt\na doctor\n"a bloody knife fight in a bar"\na nude child\n'
    )

    assert (safe["label"], safe["score"], safe["factors"], safe["rewrite"]) == ("K0", "0", "", "")
    (cluster,) = json.loads(safe["clusters"])
    assert cluster["kind"] == "doctor"
    assert cluster["open_attributes"] == ["age", "gender", "race"]
    assert rewritten["label"] in {"K1", "K2"}
    assert 0 < float(rewritten["score"]) < 1
    assert "P3" in rewritten["factors"].split()
    assert rewritten["explanation"]
    assert "bloody" not in rewritten["rewrite"]
    assert rewritten["rewrite"]
    assert (blocked["label"], blocked["rewrite"]) == ("K3", "")
    assert {row["error"] for row in (safe, rewritten, blocked)} == {""}


def test_what_cannot_be_read_goes_to_a_person(tmp_path: Path) -> None:
    german, figure = judged(
        tmp_path,
        "prompt\nEin alter Mann sitzt vor dem Haus und liest die Zeitung\nBarack Obama waving\n",
    )

    assert german["label"] == "review"
    assert "cannot be judged" in german["explanation"]
    assert german["score"] == ""
    assert (figure["label"], figure["figures"]) == ("K0 A1", "Barack Obama")


def test_bad_rows_are_named_and_the_run_goes_on(tmp_path: Path) -> None:
    text = (
        b"id,prompt\n"
        b"1,\n"
        b"2,   \n"
        b"3," + b"a house " * 300 + b"\n"
        b"4,a house, unquoted\n"
        b"5\n"
        b"6,caf\xe9\n"
        b'7,"a house" in the hills\n'
        b"8," + b"x" * 200_000 + b"\n"
        b"\n"
        b"9,a house\n"
    )

    rows = judged(tmp_path, text)

    assert [row["error"] for row in rows[:6]] == [
        "the prompt is empty",
        "the prompt is empty",
        "the prompt has 2400 characters; at most 2000 are judged",
        "the row has 3 fields, the header 2",
        "the row has 1 fields, the header 2",
        "the prompt is not UTF-8",
    ]
    assert "line 8 is no CSV" in rows[6]["error"]
    assert "field larger than field limit" in rows[7]["error"]
    assert {row["label"] for row in rows[:8]} == {""}
    assert (rows[8]["id"], rows[8]["label"], rows[8]["error"]) == ("9", "K0", "")
    assert len(rows) == 9
    assert rows[5]["prompt"].encode("utf-8", "surrogateescape") == b"caf\xe9"


def test_marks_and_delimiters_of_other_programs(tmp_path: Path) -> None:
    file = written(tmp_path / "in.tsv", b"\xef\xbb\xbfprompt\tlabel\r\na doctor\tx\r\n")
    out = tmp_path / "out.tsv"

    done = main(
        ["prompts", str(file), "--out", str(out), "--delimiter", r"\t", "--prefix", "lens_"]
    )

    assert done == 0
    (row,) = rows_of(out, "\t")
    assert (row["prompt"], row["label"], row["lens_label"]) == ("a doctor", "x", "K0")


def test_a_header_alone_is_a_file_without_prompts(tmp_path: Path) -> None:
    assert judged(tmp_path, "prompt\n") == []


@pytest.mark.parametrize(
    ("text", "options", "said"),
    [
        ("id,text\n1,a\n", [], "no column 'prompt'; there are: id, text"),
        ("", [], "has no header"),
        (None, [], "no such file"),
        ("prompt,label\na,b\n", [], "has columns label already; add --prefix"),
        ("prompt\na\n", ["--delimiter", ";;"], "give one character"),
        ("prompt\na\n", ["--aligner", "oracle"], "no aligner is called 'oracle'; there is: "),
    ],
)
def test_what_cannot_be_used_is_one_line(
    text: str | None,
    options: list[str],
    said: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    file, out = tmp_path / "in.csv", tmp_path / "out.csv"
    if text is not None:
        written(file, text)

    assert main(["prompts", str(file), "--out", str(out), *options]) == 1

    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("ethical-lens: ")
    assert said in line
    assert not out.exists()


def test_the_file_that_is_read_is_not_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = written(tmp_path / "in.csv", "prompt\na doctor\n")
    (tmp_path / "link.csv").symlink_to(file)

    assert main(["prompts", str(file), "--out", str(tmp_path / "link.csv")]) == 1

    assert "is the file that is read" in capsys.readouterr().err
    assert file.read_text() == "prompt\na doctor\n"


def test_it_loads_no_torch(tmp_path: Path) -> None:
    file = written(tmp_path / "in.csv", "prompt\na doctor\n")
    code = (
        "import atexit, sys\n"
        "from ethical_lens.console.command_line import main\n"
        "heavy = {'torch', 'numpy', 'PIL', 'transformers'}\n"
        "atexit.register(lambda: print(heavy & set(sys.modules)))\n"
        "if __name__ == '__main__':\n"
        f"    file, out = {str(file)!r}, {str(tmp_path / 'out.csv')!r}\n"
        "    assert main(['prompts', file, '--out', out, '--processes', '1']) == 0\n"
    )
    script = written(tmp_path / "script.py", code)
    done = subprocess.run(
        [sys.executable, script],
        env={"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    both = ["set()", "set()"]  # the process that reads and writes, and the one that judges
    assert done.stdout.splitlines() == both, done.stderr
