"""PNG in, PNG out: pixels only, no metadata."""

import io

from PIL import Image


def png_encode(image: Image.Image) -> bytes:
    """The picture as PNG, RGB, without text chunks, EXIF or colour profile."""
    plain = image.convert("RGB")
    plain.info.clear()
    buffer = io.BytesIO()
    plain.save(buffer, "PNG")
    return buffer.getvalue()


def png_decode(data: bytes) -> Image.Image:
    """The picture of a PNG that this project stored, RGB."""
    return Image.open(io.BytesIO(data), formats=["PNG"]).convert("RGB")
