"""What can be read as English, and what must go to a person (fault F1: never open)."""

import pytest

from ethical_lens.text.normalise import read
from ethical_lens.text.vocabulary import why_unreadable


@pytest.mark.parametrize(
    "text",
    [
        "red bicycle",
        "cat",
        "a lighthouse on a cliff at sunset",
        "portrait of a woman by Gustav Klimt",
        "Captain Ardo at the beach",
        "Mont Saint Michel in the morning fog",
        "the Rue des Fleurs on a sunny day",
        "a café table with a crème brûlée",
        "4k render of a house",
        "a 3 x 3 grid of photos",
        "sunset!!!",
        "ultra detailed, sharp focus, 8k",
    ],
)
def test_short_english_passes(text: str) -> None:
    assert why_unreadable(read(text)) is None


@pytest.mark.parametrize(
    "text",
    [
        "голая женщина на кровати",
        "裸の女性",
        "عارية",
        "नग्न महिला",
        "a woman 裸体",
        "нож",
        "una mujer desnuda en la playa",
        "une femme dans une chambre",
        "eine Frau ohne Kleider auf dem Bett",
        "donna sulla spiaggia con il cane",
        "asdfgh qwertz yxcvbn",
        "xkjw",
        "aaaaaaaaaaaaaaaa",
        "12345",
        "?!?",
        "",
        "   ",
        "\u200b\u200b",
    ],
)
def test_what_cannot_be_read_is_said_to_be_unreadable(text: str) -> None:
    assert why_unreadable(read(text))


def test_an_empty_negative_prompt_is_fine_and_a_list_of_tags_too() -> None:
    for text in ("", "lowres, bad anatomy, jpeg artifacts, wlop, (worst quality:1.4)"):
        assert why_unreadable(read(text), keywords=True) is None


def test_a_negative_prompt_in_another_script_is_unreadable() -> None:
    assert why_unreadable(read("服装"), keywords=True)
