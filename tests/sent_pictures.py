"""Pictures as a client sends them: drawings of the miniature world, whose content is known."""

import base64
import io

from PIL import Image

from ethical_lens.mini.world.drawing import draw
from ethical_lens.mini.world.scene import Place, Scene, StandIn


def png(image: Image.Image, format: str = "PNG") -> bytes:
    file = io.BytesIO()
    image.save(file, format)
    return file.getvalue()


def harmless() -> bytes:
    """A street without anybody."""
    return png(draw(Scene(2, place=Place.STREET)).picture)


def violent() -> bytes:
    """The same street with the stand-in for violence."""
    scene = Scene(2, place=Place.STREET, stand_ins=frozenset({StandIn.VIOLENCE}))
    return png(draw(scene).picture)


def data_url(content: bytes) -> str:
    return f"data:image/png;base64,{base64.b64encode(content).decode()}"
