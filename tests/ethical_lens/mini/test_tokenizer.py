"""The tokenizer made from open_clip's vocabulary."""

from typing import Any

import open_clip
import pytest

from ethical_lens.mini.tokenizer import CONTEXT_LENGTH, END, START, clip_tokenizer


@pytest.fixture(scope="module")
def pair() -> tuple[Any, Any]:
    return clip_tokenizer(), open_clip.SimpleTokenizer()


@pytest.mark.parametrize(
    "text",
    ["a doctor in a street", "Ada's face, 123!", "  two   spaces\n", "Ümläut 東京", "snow-white"],
)
def test_the_same_tokens_as_open_clip(pair: tuple[Any, Any], text: str) -> None:
    ours, theirs = pair

    assert ours(text).input_ids == [START, *theirs.encode(text), END]


def test_contexts_are_cut_and_padded(pair: tuple[Any, Any]) -> None:
    ours, _ = pair
    long, short = (
        ours(text, padding="max_length", truncation=True).input_ids
        for text in ("word " * 100, "word")
    )

    assert len(long) == len(short) == CONTEXT_LENGTH
    assert long[-1] == END
    assert short[2:] == [END] * (CONTEXT_LENGTH - 2)
