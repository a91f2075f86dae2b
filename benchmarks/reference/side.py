"""One side of a comparison in a process of its own, so that its memory can be told.

    python -m benchmarks.reference.side WHAT MODELS.json PICTURES [bfloat16]

Loads, then does one pass over all pictures for each line on stdin and answers with its seconds; at
the end of stdin it tells its scores and the most memory it ever held.
"""

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from PIL import Image

from ethical_lens.sources import ModelSources

Score = Callable[[Image.Image], dict[str, float]]
Pass = Callable[[], list[dict[str, float]]]


def main() -> None:
    what, models, pictures, *options = sys.argv[1:]
    sources = ModelSources.model_validate_json(Path(models).read_text("utf-8"))
    shown = [Image.open(file).convert("RGB") for file in sorted(Path(pictures).glob("*.png"))]
    passes = {"reference": _reference, "ours": _ours}[what](sources, shown, *options)
    print(json.dumps({"ready": sorted(passes)}), flush=True)
    scores: dict[str, list[dict[str, float]]] = {}
    for line in sys.stdin:
        name = line.strip()
        began = time.perf_counter()
        scores[name] = passes[name]()
        print(json.dumps({"seconds": (time.perf_counter() - began) / len(shown)}), flush=True)
    print(json.dumps({"scores": scores, "peak": _peak()}), flush=True)


def _reference(sources: ModelSources, pictures: list[Image.Image]) -> dict[str, Pass]:
    from benchmarks.reference.described import FiveHeads

    heads = FiveHeads(sources)
    return {"scrutinise": lambda: [_named(heads.score(picture)) for picture in pictures]}


def _ours(
    sources: ModelSources, pictures: list[Image.Image], dtype: str = "float32"
) -> dict[str, Pass]:
    """Scrutiny of one picture after another, as of a job of one; and one bare encode of each."""
    import torch

    from ethical_lens.image.encoder import ImageEncoder
    from ethical_lens.image.heads import Heads
    from ethical_lens.image.scrutineer import Scrutineer

    encoder = ImageEncoder.load(sources.clip, torch.device("cpu"), getattr(torch, dtype))
    scrutineer = Scrutineer(encoder, Heads.load(sources.heads, encoder.dimension), {})
    model, preprocess = encoder._model, encoder._preprocess

    @torch.inference_mode()
    def bare() -> list[dict[str, float]]:
        for picture in pictures:
            one = preprocess(picture).unsqueeze(0).to(model.text_projection.dtype)
            model.encode_image(one, normalize=False)
        return []

    return {
        "scrutinise": lambda: [_named(scrutineer.score([picture])[0]) for picture in pictures],
        "batch": lambda: [_named(one) for one in scrutineer.score(pictures)],
        "bare": bare,
    }


def _named(scores: Any) -> dict[str, float]:
    return {concept.value: score for concept, score in scores.items()}


def _peak() -> int:
    """Bytes. Not `ru_maxrss`, which begins with what the parent held."""
    for line in Path("/proc/self/status").read_text("utf-8").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    raise SystemExit("the peak of memory is read from /proc/self/status, which is not here")


if __name__ == "__main__":
    main()
