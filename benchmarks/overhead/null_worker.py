"""A worker of the project whose models do nothing; with `OBJECTS=off` its object store neither.

Run as `python -m benchmarks.overhead.null_worker worker …`, with Celery's worker arguments.
"""

import hashlib
import os
import sys
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from celery import signals
from PIL import Image

from config.celery import app

PICTURE = Image.new("RGB", (64, 64), "grey")
PNG = b"no object work"
DIGEST = hashlib.sha256(PNG).hexdigest()


class NullPainter:
    """Paints grey."""

    def paint(self, requests: Sequence[Any], on_step: Any = None) -> list[Image.Image]:
        return [PICTURE] * len(requests)


class NullScrutineer:
    """Finds nothing."""

    digests = {"null": "0"}

    def score(self, images: Sequence[Any]) -> list[dict[Any, float]]:
        from ethical_lens.results import Concept

        return [dict.fromkeys(Concept, 0.0) for _ in images]


@signals.worker_init.connect
def replace_models(**_: Any) -> None:
    # Loaded before the first stage comes, as by a worker with models: torch takes seconds.
    import ethical_lens.image.scrutinise  # noqa: F401
    from workers import generate, loading, release, scrutinise, tasks

    def load(queues: Sequence[str]) -> tuple[dict[str, float], bool]:
        if "scrutinise" in queues:  # not in the first job's time
            import ethical_lens.image.scrutinise  # noqa: F401
        return {}, True

    tasks.load_for = load

    loading.painter = lambda _name: NullPainter()
    generate.painter = loading.painter
    generate.painter_digest = lambda _name: "0"
    scrutinise.scrutineer = NullScrutineer
    scrutinise.region_finder = lambda: None
    scrutinise.face_reader = lambda: None
    if os.environ.get("OBJECTS") == "off":
        from jobs.storage import StoredObject

        def put(*, job_id: UUID, picture_id: UUID, round: int, png: bytes) -> StoredObject:
            return StoredObject(f"quarantine/{job_id}/{picture_id}", DIGEST, len(PNG))

        def copy(*, job_id: UUID, picture_id: UUID, **_rest: Any) -> str:
            return f"released/{job_id}/{picture_id}"

        generate.png_encode = lambda _image: PNG
        generate.quarantine_put = put
        scrutinise._image = lambda _picture: PICTURE
        release.release_copy = copy


if __name__ == "__main__":
    app.worker_main(sys.argv[1:])
