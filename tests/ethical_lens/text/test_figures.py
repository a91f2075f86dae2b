"""Names of public figures and characters."""

import pytest

from ethical_lens.text.figures import depicted_figures, named_people, public_figures
from ethical_lens.text.normalise import read


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("Captain Ardo at the beach", ("Captain Ardo",)),
        ("a picture of MADAME VELLINE, smiling", ("Madame Velline",)),
        ("President Orsk's speech", ("President Orsk",)),
        ("Barack Obama riding a bicycle", ("Barack Obama",)),
        ("0bama riding a bicycle", ("Barack Obama",)),
        ("Obama and President Obama", ("Barack Obama",)),
        ("Angela-Merkel in a park with Putin", ("Angela Merkel", "Vladimir Putin")),
        ("Beyoncé on a stage", ("Beyonce",)),
        ("a captain and a madame", ()),
        ("she played a trump card", ()),
        ("an obamania poster", ()),
        ("the lincoln memorial at night", ()),
        ("a painting by Rembrandt", ()),
    ],
)
def test_names_are_matched_as_whole_words(text: str, names: tuple[str, ...]) -> None:
    assert public_figures(read(text)) == names


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("a city in the style of Elvis Presley", ()),
        ("a dog, painted by Winston Churchill", ()),
        ("Barack Obama in the style of Elvis Presley", ("Barack Obama",)),
        ("a dog painted by Barack Obama, Obama smiling", ("Barack Obama",)),
        ("painted by Barack Obama's window", ("Barack Obama",)),
        ("Barack Obama painted by a child", ("Barack Obama",)),
        ("a speech by Barack Obama", ("Barack Obama",)),
        ("in the style of, Barack Obama", ("Barack Obama",)),
    ],
)
def test_who_lends_a_style_is_named_and_not_depicted(text: str, names: tuple[str, ...]) -> None:
    reading = read(text)
    assert depicted_figures(reading) == names
    assert public_figures(reading)


def test_a_span_covers_the_name_and_nothing_else() -> None:
    text = "the great Barack  Obama, smiling"
    (person,) = named_people(read(text))
    assert text[person.start : person.end] == "Barack  Obama"


def test_a_character_is_named_but_no_public_figure() -> None:
    reading = read("Mickey Mouse and Elvis Presley")
    assert [(p.name, p.public) for p in named_people(reading)] == [
        ("Mickey Mouse", False),
        ("Elvis Presley", True),
    ]
    assert public_figures(reading) == ("Elvis Presley",)
