"""Features of a frozen encoder, computed once per picture and kept on disk."""

import hashlib
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import nn
from tqdm import tqdm

from ethical_lens.image.encoder import ImageEncoder
from ethical_lens.image.errors import UnreadablePicture, failures_translated
from ethical_lens.image.reading import read_picture
from ethical_lens.image.views import square_views
from ethical_lens.training.heads.contents import content_of
from ethical_lens.training.heads.errors import TrainingError

SHARD: Final = 256
"""Pictures in a file: what an interruption costs at most."""
_FORMAT: Final = "1"
"""Of the files, and of how a picture becomes the encoder's input."""


@dataclass(frozen=True)
class Rows:
    """Pictures with their labels.

    `views` (v, d) holds the views of all pictures in their order, as scrutiny looks at them, the
    centre first; `counts` says how many each has. `labels` (n,) is boolean.
    """

    views: torch.Tensor
    counts: tuple[int, ...]
    labels: torch.Tensor

    @classmethod
    def of(cls, features: Sequence[torch.Tensor], labels: Sequence[bool]) -> Self:
        return cls(torch.cat(list(features)), tuple(map(len, features)), torch.tensor(labels))

    @property
    def centres(self) -> torch.Tensor:
        """(n, d): the centre view of each picture, which is what the method trains on."""
        firsts = torch.tensor((0, *self.counts[:-1])).cumsum(0)
        return self.views[firsts]

    @torch.no_grad()
    def logits(self, head: nn.Sequential) -> torch.Tensor:
        """(n,) in float64: each picture's worst view, as in scrutiny. Evaluates the head."""
        by_view = head.eval()(self.views).squeeze(1)
        return torch.stack([part.amax() for part in by_view.split(list(self.counts))]).double()


class FeatureCache:
    """Features by encoder and content of the picture, in safetensors files of `SHARD` pictures.

    `encoder` is a digest that stands for weights and architecture. Files are written under another
    name first, so that what is there is whole; one that cannot be read is computed again.
    """

    def __init__(self, folder: Path, encoder: str) -> None:
        key = hashlib.sha256(f"{_FORMAT}\n{encoder}".encode()).hexdigest()
        self._folder = folder / f"encoder-{key[:16]}"
        self._places = dict[str, Path]()
        for file in sorted(self._folder.glob("*.safetensors")):
            try:
                with safe_open(file, "pt") as shard:
                    self._places |= dict.fromkeys(shard.keys(), file)
            except (SafetensorError, OSError):
                tqdm.write(f"{file} is damaged; its pictures are encoded again.", file=sys.stderr)
                file.unlink()

    def missing(self, contents: Sequence[str]) -> list[str]:
        """Those without features, in their order, each once."""
        return [content for content in dict.fromkeys(contents) if content not in self._places]

    def fill(
        self, pictures: Mapping[str, Path], load: Callable[[], ImageEncoder], batch: int = 16
    ) -> int:
        """Encode the `pictures` (files by content) that are missing; how many they were.

        `load` is called only where there are any. `batch`: pictures in one pass. Raises
        `TrainingError` where a file is no longer what it was, or features are not finite, and
        `ModelFailed` where the encoder fails.
        """
        missing = self.missing(list(pictures))
        if not missing:
            return 0
        self._folder.mkdir(parents=True, exist_ok=True)
        encoder = load()
        with tqdm(total=len(missing), desc="features", unit=" pictures", mininterval=2) as bar:
            for start in range(0, len(missing), SHARD):
                shard = dict[str, torch.Tensor]()
                for some in _batches(missing[start : start + SHARD], batch):
                    shard |= _encoded({content: pictures[content] for content in some}, encoder)
                    bar.update(len(some))
                self._write(shard)
        return len(missing)

    def read(self, contents: Sequence[str]) -> dict[str, torch.Tensor]:
        """Features (views, d), float32, by content. All must be there."""
        by_file: dict[Path, list[str]] = {}
        for content in contents:
            by_file.setdefault(self._places[content], []).append(content)
        found = dict[str, torch.Tensor]()
        for file, some in by_file.items():
            with safe_open(file, "pt") as shard:
                found |= {content: shard.get_tensor(content) for content in some}
        return found

    def _write(self, shard: dict[str, torch.Tensor]) -> None:
        name = hashlib.sha256("".join(shard).encode()).hexdigest()[:16]
        file = self._folder / f"{name}.safetensors"
        part = file.with_suffix(".part")
        save_file(shard, part)
        part.replace(file)
        self._places |= dict.fromkeys(shard, file)


def _batches(contents: Sequence[str], size: int) -> Iterator[Sequence[str]]:
    for start in range(0, len(contents), size):
        yield contents[start : start + size]


def _encoded(pictures: Mapping[str, Path], encoder: ImageEncoder) -> dict[str, torch.Tensor]:
    views = []
    for content, file in pictures.items():
        try:
            image = read_picture(file)
        except UnreadablePicture as error:
            raise TrainingError(f"{file}: {error}; it could be read before. Run again.") from error
        if content_of(image) != content:
            raise TrainingError(f"{file}: was changed while it was used. Run again.")
        views.append(square_views(image))
    with failures_translated("encoding pictures"):
        features = encoder.encode([view for some in views for view in some])
    parts = features.split([len(some) for some in views])
    for file, part in zip(pictures.values(), parts, strict=True):
        if not part.isfinite().all():
            raise TrainingError(f"{file}: the encoder gives features that are not finite.")
    return {content: part.clone() for content, part in zip(pictures, parts, strict=True)}
