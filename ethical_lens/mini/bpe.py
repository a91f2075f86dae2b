"""A small tokenizer of CLIP's own kind, trained on captions: byte pairs, words end in `</w>`.

Any text can be encoded: all 256 bytes are tokens, within words and at their end.
"""

import json
import random
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from tokenizers import Tokenizer
from tokenizers.models import BPE
from tokenizers.trainers import BpeTrainer
from transformers import CLIPTokenizer

from ethical_lens.mini.world.captions import CAPTION_WORDS, captions
from ethical_lens.mini.world.sampling import balanced_scene
from ethical_lens.text import data

CONTEXT_LENGTH: Final = 77
VOCABULARY_SIZE: Final = 2048
START, END = "<|startoftext|>", "<|endoftext|>"

_WORD_END: Final = "</w>"
_SCENES: Final = 5_000
_CAPTION_WORD_WEIGHT: Final = 30
"""How often every caption word is added to the texts, so that rare ones become tokens as well."""


def build_tokenizer() -> CLIPTokenizer:
    """The tokenizer of the miniature world: `VOCABULARY_SIZE` tokens. Deterministic; seconds."""
    return train_tokenizer(_texts())


def train_tokenizer(texts: Iterable[str], vocabulary_size: int = VOCABULARY_SIZE) -> CLIPTokenizer:
    """A tokenizer of at most `vocabulary_size` tokens for `texts`, whose order does not matter.

    The vocabulary is laid out as CLIP's: bytes, bytes that end a word, merges in order, two
    special tokens; contexts are of 77 tokens and padded with the end. Raises `ValueError` where
    the size has no room for the bytes and the special tokens.
    """
    letters = _byte_letters()
    vocabulary = [*letters, *(f"{letter}{_WORD_END}" for letter in letters)]
    room = vocabulary_size - len(vocabulary) - 2
    if room < 0:
        raise ValueError(f"a vocabulary has at least {len(vocabulary) + 2} tokens")
    merges: list[Any] = []  # annotated as str in transformers, used as pairs
    known = set(vocabulary)
    for first, second in _merges(texts, letters, vocabulary_size):
        if first + second not in known:
            if room == 0:
                break
            room -= 1
            known.add(first + second)
            vocabulary.append(first + second)
        merges.append((first, second))
    vocabulary += [START, END]
    return CLIPTokenizer(
        vocab={token: i for i, token in enumerate(vocabulary)},
        merges=merges,
        model_max_length=CONTEXT_LENGTH,
    )


def save_tokenizer(tokenizer: CLIPTokenizer, folder: Path) -> None:
    """Write `tokenizer` to `folder` for `CLIPTokenizer.from_pretrained`, with its vocab.json and
    merges.txt as files of their own. Raises `OSError` where that fails."""
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer.save_pretrained(folder)
    tokenizer.backend_tokenizer.model.save(str(folder))


def _byte_letters() -> list[str]:
    """The letters that stand for the 256 bytes, in the order of open_clip's vocabulary."""
    printable = [
        *range(ord("!"), ord("~") + 1),
        *range(ord("¡"), ord("¬") + 1),
        *range(ord("®"), 256),
    ]
    others = [byte for byte in range(256) if byte not in printable]
    return [chr(byte) for byte in printable] + [chr(256 + i) for i in range(len(others))]


def _merges(
    texts: Iterable[str], letters: list[str], vocabulary_size: int
) -> list[tuple[str, str]]:
    """The most frequent pairs, in order; possibly more than fit."""
    clip = CLIPTokenizer().backend_tokenizer
    trained = Tokenizer(BPE(end_of_word_suffix=_WORD_END))
    trained.normalizer, trained.pre_tokenizer = clip.normalizer, clip.pre_tokenizer
    trainer = BpeTrainer(
        vocab_size=2 * len(letters) + vocabulary_size,
        initial_alphabet=letters,
        # Named beforehand: the order in which the trainer meets them would decide between pairs
        # of the same frequency.
        special_tokens=[f"{letter}{_WORD_END}" for letter in letters],
        end_of_word_suffix=_WORD_END,
        show_progress=False,
    )
    trained.train_from_iterator(texts, trainer)
    model: Mapping[str, Any] = json.loads(trained.to_str())["model"]
    return [(first, second) for first, second in model["merges"]]


def _texts() -> Iterator[str]:
    rng = random.Random(0)
    for _ in range(_SCENES):
        yield from captions(balanced_scene(rng), rng, held_out=rng.random() < 0.1)
    for _ in range(_CAPTION_WORD_WEIGHT):
        yield " ".join(sorted(CAPTION_WORDS))
    for name in data.NAMES:
        yield from _strings(data.load(name))


def _strings(value: object) -> Iterator[str]:
    """All strings within a parsed lexicon, keys too."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for key, one in value.items():
            yield key
            yield from _strings(one)
    elif isinstance(value, list):
        for one in value:
            yield from _strings(one)
