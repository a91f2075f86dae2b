"""The small tokenizer: CLIP's ways, any text, the same every time."""

import json
import random
import unicodedata
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from open_clip.tokenizer import SimpleTokenizer
from transformers import CLIPTokenizer

from ethical_lens.mini.bpe import (
    CONTEXT_LENGTH,
    END,
    START,
    build_tokenizer,
    save_tokenizer,
    train_tokenizer,
)
from ethical_lens.mini.world.captions import CAPTION_WORDS, captions
from ethical_lens.mini.world.scene import GENDERS, RACES, Kind, Person, Place, Scene
from ethical_lens.results import LifeStage

ALIGNED = "a middle-aged Asian female doctor in an office"


def texts() -> Iterator[str]:
    rng = random.Random(1)
    for gender, race, stage, kind in product(GENDERS, RACES, LifeStage, Kind):
        person = Person(gender, race, stage, kind)
        yield from captions(Scene(0, place=rng.choice(list(Place)), people=(person,)), rng)


@pytest.fixture(scope="module")
def tokenizer() -> CLIPTokenizer:
    return train_tokenizer(texts())


def decoded(tokenizer: CLIPTokenizer, text: str) -> str:
    ids = tokenizer(text).input_ids
    return str(tokenizer.decode(ids, skip_special_tokens=True))


def merges(tokenizer: CLIPTokenizer) -> Any:
    return json.loads(tokenizer.backend_tokenizer.to_str())["model"]["merges"]


def test_an_aligned_prompt_is_short(tokenizer: CLIPTokenizer) -> None:
    assert len(tokenizer(ALIGNED).input_ids) <= 14


def test_text_comes_back_in_lower_case_with_words_apart(tokenizer: CLIPTokenizer) -> None:
    assert decoded(tokenizer, ALIGNED) == "a middle - aged asian female doctor in an office"


@pytest.mark.parametrize("text", ["Ümläut 東京 🎉", "l'été, 1999", "\x00\x7f", "İstanbul"])
def test_any_text_comes_back(tokenizer: CLIPTokenizer, text: str) -> None:
    lower = unicodedata.normalize("NFC", text).lower()
    assert decoded(tokenizer, text).replace(" ", "") == lower.replace(" ", "")


@settings(max_examples=40, deadline=None)
@given(st.text())
def test_nothing_is_unknown(tokenizer: CLIPTokenizer, text: str) -> None:
    inside = tokenizer(text, add_special_tokens=False).input_ids
    if START not in text and END not in text:
        assert all(i < len(tokenizer) - 2 for i in inside)


def test_the_layout_is_that_of_clip(tokenizer: CLIPTokenizer) -> None:
    ours, theirs = tokenizer.get_vocab(), SimpleTokenizer().encoder
    by_id = sorted(ours, key=ours.__getitem__)

    assert by_id[:512] == sorted(theirs, key=theirs.__getitem__)[:512]
    assert by_id[-2:] == [START, END]
    assert sorted(ours.values()) == list(range(len(tokenizer)))
    assert len(tokenizer) <= 2048


def test_contexts_are_cut_and_padded_with_the_end(tokenizer: CLIPTokenizer) -> None:
    long, short = (
        tokenizer(text, padding="max_length", truncation=True).input_ids
        for text in ("word " * 100, "a")
    )
    end = len(tokenizer) - 1

    assert len(long) == len(short) == CONTEXT_LENGTH
    assert long[-1] == end
    assert short[2:] == [end] * (CONTEXT_LENGTH - 2)


def test_the_same_texts_in_any_order_give_the_same_tokenizer(tokenizer: CLIPTokenizer) -> None:
    again = train_tokenizer(reversed(list(texts())))

    assert again.get_vocab() == tokenizer.get_vocab()
    assert merges(again) == merges(tokenizer)


@pytest.mark.parametrize("without", [None, "tokenizer.json"])
def test_a_saved_tokenizer_gives_the_same_ids(
    tokenizer: CLIPTokenizer, tmp_path: Path, without: str | None
) -> None:
    save_tokenizer(tokenizer, tmp_path / "tokenizer")
    if without:
        (tmp_path / "tokenizer" / without).unlink()
    loaded = CLIPTokenizer.from_pretrained(tmp_path / "tokenizer")

    assert (tmp_path / "tokenizer" / "vocab.json").is_file()
    assert (tmp_path / "tokenizer" / "merges.txt").is_file()
    assert loaded.get_vocab() == tokenizer.get_vocab()
    assert loaded.model_max_length == CONTEXT_LENGTH
    for text in (*list(texts())[:200], "Ümläut 東京 🎉", "unheard-of"):
        assert loaded(text).input_ids == tokenizer(text).input_ids


def test_a_vocabulary_without_room_for_bytes_is_refused() -> None:
    with pytest.raises(ValueError, match="514"):
        train_tokenizer(texts(), 513)


def test_a_vocabulary_of_bytes_alone() -> None:
    bare = train_tokenizer(texts(), 514)

    assert len(bare) == 514
    assert decoded(bare, "a nurse") == "a nurse"


def test_the_tokenizer_of_the_world_knows_every_caption_word() -> None:
    world = build_tokenizer()

    assert len(world) == 2048
    assert not [word for word in CAPTION_WORDS if f"{word}</w>" not in world.get_vocab()]
