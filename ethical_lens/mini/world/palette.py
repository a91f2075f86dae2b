"""Colours that several parts share."""

from ethical_lens.mini.world.canvas import Rgb
from ethical_lens.mini.world.scene import Colour

SKIN: dict[str, Rgb] = {
    "White": (252, 224, 206),
    "Asian": (240, 194, 134),
    "Latino-Hispanic": (204, 144, 96),
    "Middle Eastern": (156, 100, 66),
    "Black": (86, 52, 36),
}
"""Five tones in even steps of lightness."""

COLOURS: dict[Colour, Rgb] = {
    Colour.RED: (222, 52, 48),
    Colour.ORANGE: (244, 140, 40),
    Colour.YELLOW: (248, 212, 58),
    Colour.GREEN: (60, 164, 84),
    Colour.BLUE: (56, 112, 214),
    Colour.PURPLE: (138, 76, 190),
    Colour.PINK: (246, 140, 186),
    Colour.GREY: (140, 144, 150),
}
