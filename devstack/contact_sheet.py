"""One PNG that shows the pictures of several jobs under their prompts."""

import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw, ImageFont

CELL, MARGIN, CAPTION = 192, 16, 54
BACKGROUND, INK, FAINT = "#ffffff", "#1f2328", "#656d76"
COLOURS = {"succeeded": "#1a7f37", "blocked": "#8250df", "failed": "#cf222e"}


def contact_sheet(
    rows: Sequence[tuple[str, dict[str, Any], Sequence[Image.Image]]], path: Path
) -> None:
    """Write a sheet with one row per `(prompt, job, pictures)` to `path`.

    A picture that was not released has no placeholder: its row says what became of it.
    """
    columns = max((len(pictures) for _, _, pictures in rows), default=1) or 1
    width = max(MARGIN + columns * (CELL + MARGIN), 640)
    heights = [CAPTION + (CELL if pictures else 0) + MARGIN for _, _, pictures in rows]
    sheet = Image.new("RGB", (width, sum(heights) + MARGIN), BACKGROUND)
    draw = ImageDraw.Draw(sheet)
    large, small = ImageFont.load_default(17), ImageFont.load_default(13)
    top = MARGIN
    for (prompt, job, pictures), height in zip(rows, heights, strict=True):
        labels = ", ".join((job.get("text") or {}).get("labels", []))
        draw.text((MARGIN, top), textwrap.shorten(prompt, 70), INK, large)
        draw.text((MARGIN, top + 24), job["status"], COLOURS.get(job["status"], FAINT), small)
        draw.text((MARGIN + 90, top + 24), f"{labels}   {job['reason']}", FAINT, small)
        for column, picture in enumerate(pictures):
            resized = picture.convert("RGB").resize((CELL, CELL), Image.Resampling.NEAREST)
            sheet.paste(resized, (MARGIN + column * (CELL + MARGIN), top + CAPTION - 6))
        top += height
    path.parent.mkdir(parents=True, exist_ok=True)
    sheet.save(path)
