"""What people decided, as the label table from which heads are trained (docs/training-heads.md)."""

import csv
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from accounts.acts import act_log
from accounts.models import User
from desk.models import Category, Choice, Verdict
from ethical_lens.results import Concept
from jobs.models import PictureVersion
from jobs.storage import object_get

COLUMNS: Final = ("picture", "rater", "concept", "label", "decided_at")
TABLE: Final = "labels.csv"
PICTURES: Final = "pictures"


@dataclass(frozen=True, slots=True)
class Label:
    """One person's word on one picture and concept. `rater` tells people apart and names nobody."""

    version: PictureVersion
    rater: str
    concept: Concept
    shown: bool
    decided_at: datetime

    @property
    def row(self) -> tuple[str, str, str, int, str]:
        """A line of the table."""
        return (
            f"{self.version.sha256}.png",
            self.rater,
            self.concept.value,
            int(self.shown),
            self.decided_at.isoformat(),
        )


def labels(*, since: datetime | None = None) -> Iterator[Label]:
    """A label per person and picture, as seen: to block says that the concept of the queue is
    shown, to allow that it is not. Second looks and golden items are raters of their own; what was
    undone, or was of no concept (`text`, `error`), says nothing; what was erased is not exported.
    """
    concepts = [concept.value for concept in Concept]
    assert set(concepts) <= set(Category.values)
    choices = (
        Choice.objects.filter(
            version__isnull=False,
            item__job__erased_at=None,
            verdict__in=[Verdict.ALLOW, Verdict.BLOCK],
            undone_at=None,
            settled_at__isnull=False,
            item__category__in=concepts,
            **({"settled_at__gte": since} if since else {}),
        )
        .select_related("item", "version")
        .order_by("id")
    )
    for choice in choices.iterator(chunk_size=500):
        assert choice.version is not None  # by the filter
        yield Label(
            version=choice.version,
            rater=hashlib.sha256(f"rater {choice.user_id}".encode()).hexdigest()[:12],
            concept=Concept(choice.item.category),
            shown=choice.verdict == Verdict.BLOCK,
            decided_at=choice.chosen_at,
        )


def labels_export(folder: Path, *, by: User, since: datetime | None = None) -> int:
    """Write `labels.csv` and `pictures/` into a new folder. How many labels there are. That `by`
    did so is in the log before anything is written.

    Raises `FileExistsError`, and `jobs.storage.StorageError` where a picture cannot be read.
    """
    pictures = folder / PICTURES
    pictures.mkdir(parents=True)
    act_log(
        by=by, of=Choice, about=f"labels since {since:%Y-%m-%d}" if since else "all labels",
        message="Exported with the originals of their pictures.",
    )  # fmt: skip
    count = 0
    with (folder / TABLE).open("x", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(COLUMNS)
        for label in labels(since=since):
            path = pictures / label.row[0]
            if not path.exists():
                path.write_bytes(object_get(label.version.key, sha256=label.version.sha256))
            table.writerow(label.row)
            count += 1
    return count
