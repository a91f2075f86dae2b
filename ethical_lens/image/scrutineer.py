"""Encoder and heads together: pictures in, concept scores out."""

from collections.abc import Mapping, Sequence
from typing import Self

import torch
from PIL import Image

from ethical_lens.device import resolve_device, resolve_dtype
from ethical_lens.image.encoder import ImageEncoder
from ethical_lens.image.errors import ScrutinyUnavailable, failures_translated
from ethical_lens.image.heads import Heads
from ethical_lens.image.reading import as_picture
from ethical_lens.image.views import square_views
from ethical_lens.results import Concept
from ethical_lens.sources import ModelSources, SourcesError


class Scrutineer:
    """Scores pictures. `digests` names the models of scrutiny for the record of decisions;
    `encoder` is there for whoever else reads pictures with it."""

    def __init__(self, encoder: ImageEncoder, heads: Heads, digests: Mapping[str, str]) -> None:
        self.encoder = encoder
        self._heads = heads
        self.digests = dict(digests)

    @classmethod
    def load(cls, sources: ModelSources) -> Self:
        """Load encoder and heads once per process.

        Raises `ScrutinyUnavailable` where any of them is missing or does not fit the others.
        """
        try:
            device, digests = resolve_device(sources.device), sources.scrutiny_digests()
        except (SourcesError, OSError) as error:
            raise ScrutinyUnavailable(str(error)) from error
        dtype = resolve_dtype(sources.scrutiny_dtype, device)
        encoder = ImageEncoder.load(sources.clip, device, dtype)
        return cls(encoder, Heads.load(sources.heads, encoder.dimension), digests)

    def score(self, images: Sequence[Image.Image]) -> list[dict[Concept, float]]:
        """Score all `images` in one encode; one dict per image, 0 to 1 per concept.

        A picture that is not square is scored by its worst view (see `views`). Scores that are
        not finite are handed on as they are: `decide_picture` sends those pictures to a person.

        Raises `UnreadablePicture` as `as_picture` does, `ModelFailed` where a model fails.
        """
        with failures_translated("scoring pictures"):
            views = [square_views(as_picture(image)) for image in images]
            features = self.encoder.encode([view for some in views for view in some])
            by_concept = self._heads.scores(features)
        counts = [len(some) for some in views]
        worst = {
            # amax keeps NaN, so that one unreadable view makes the picture unreadable.
            concept: [part.amax().item() for part in torch.split(scores, counts)]
            for concept, scores in by_concept.items()
        }
        return [{concept: worst[concept][i] for concept in worst} for i in range(len(images))]
