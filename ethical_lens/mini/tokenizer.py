"""CLIP's own tokenizer without a download: open_clip's wheel carries its merges."""

import gzip
from pathlib import Path
from typing import Any

import open_clip
from open_clip.tokenizer import bytes_to_unicode
from transformers import CLIPTokenizer

VOCABULARY_SIZE = 49408
CONTEXT_LENGTH = 77
START, END = VOCABULARY_SIZE - 2, VOCABULARY_SIZE - 1


def clip_tokenizer() -> CLIPTokenizer:
    """The tokenizer of OpenAI's CLIP: 49,408 tokens, contexts of 77.

    The vocabulary is laid out as in open_clip's `SimpleTokenizer`: bytes, bytes that end a word,
    merges in order, two special tokens.
    """
    file = Path(open_clip.__file__).with_name("bpe_simple_vocab_16e6.txt.gz")
    with gzip.open(file, "rt", encoding="utf-8") as lines:
        merges = lines.read().split("\n")[1 : VOCABULARY_SIZE - 2 - 512 + 1]
    pairs: list[Any] = [tuple(merge.split()) for merge in merges]  # annotated as str, used as pairs
    letters = list(bytes_to_unicode().values())
    words = [
        *letters,
        *(f"{letter}</w>" for letter in letters),
        *("".join(merge.split()) for merge in merges),
        "<|startoftext|>",
        "<|endoftext|>",
    ]
    return CLIPTokenizer(
        vocab={word: i for i, word in enumerate(words)},
        merges=pairs,
        model_max_length=CONTEXT_LENGTH,
    )
