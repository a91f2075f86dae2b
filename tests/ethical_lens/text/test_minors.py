"""Who is under 20, and which negative prompts push safeguards away (fault F19)."""

import pytest

from ethical_lens.text.minors import (
    clothing_pushed_away,
    mentions_minor,
    pushes_adulthood_away,
)
from ethical_lens.text.normalise import read


@pytest.mark.parametrize(
    "text",
    [
        "a child in a garden",
        "two kids",
        "a schoolgirl reading",
        "a school-girl reading",
        "a sch00lgirl reading",
        "a s c h o o l g i r l",
        "a teenager on a bench",
        "a high school student",
        "a highschool student",
        "a 17-year-old",
        "a 17 y/o",
        "a 9yo",
        "someone aged 15",
        "age: 16",
        "a seventeen-year-old singer",
        "nineteen years old",
        "somebody under eighteen",
        "a woman who looks underage",
        "a young-looking woman",
        "in her early teens",
        "a sixth grader",
        "his little sister",
        "a toddler and a dog",
        "a 3 months old",
        "a girl on a swing",
        "a woman, she is fifteen",
        "she's sixteen",
        "the person looks 14 and sad",
        "who was twelve.",
        "a person below 18",
        "someone younger than 18",
        "aged between 12 and 14",
        "a 7th grader",
        "in 4th grade",
        "a youth on a bench",
        "her classmate",
        "a junior high student",
        "his stepdaughter",
        "a middle schooler",
        "a college freshman",
    ],
)
def test_people_under_twenty_are_noticed(text: str) -> None:
    assert mentions_minor(read(text))


@pytest.mark.parametrize(
    "text",
    [
        "a baby elephant with its herd",
        "a cowboy on a horse",
        "a 25-year-old doctor",
        "a twenty-one year old singer",
        "a man aged 30",
        "somebody in her 40s",
        "a young woman",
        "an old couple",
        "a 120 year old tree",
        "a minor league game",
        "teenage mutant ninja turtles",
        "baby carrots on a plate",
        "17 birds on a wire",
        "a student in a library",
        "the clock is 12 meters tall",
        "a youth hostel in the alps",
        "the fountain of youth",
        "less than 10 people",
        "a woman, she is twenty five",
        "the man is 45, smiling",
    ],
)
def test_others_are_not(text: str) -> None:
    assert not mentions_minor(read(text))


@pytest.mark.parametrize("text", ["adult", "blurry, mature, ugly", "old", "grown-up", "a d u l t"])
def test_adulthood_pushed_away(text: str) -> None:
    assert pushes_adulthood_away(read(text))


@pytest.mark.parametrize(
    "text",
    ["clothes", "blurry, clothing", "censored", "underwear", "cl0thes", "sfw", "fully-clothed"],
)
def test_clothing_pushed_away(text: str) -> None:
    ((start, end), *_) = clothing_pushed_away(read(text))
    assert 0 <= start < end <= len(text)


@pytest.mark.parametrize(
    "text", ["", "blood, gore, nude, blurry, deformed", "nsfw, child, extra fingers", "lowres"]
)
def test_lists_of_things_to_avoid_push_nothing_away(text: str) -> None:
    assert not pushes_adulthood_away(read(text))
    assert not clothing_pushed_away(read(text))
