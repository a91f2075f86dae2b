"""Sentences around what captions say: those of training, and others to test with.

Both are made of the same words, in sentences that the other set does not have.
"""

from dataclasses import dataclass
from typing import Final

from ethical_lens.mini.world.words import Words


@dataclass(frozen=True)
class Templates:
    """Sentences. `frames` go around a body: {a_picture} has an article, {picture} has none.

    `orders` put a body together; `where_first` does too, where a place is said, and takes no frame.
    `jobs` say somebody's `person` and `job` apart.
    """

    frames: Words
    orders: Words
    where_first: Words
    jobs: Words
    plain: float  # the share of other bodies without a frame


TRAINING: Final = Templates(
    frames=(
        "{a_picture} of {body}",
        "{picture} of {body}",
        "{a_picture} showing {body}",
        "this {picture} shows {body}",
        "{body}, {picture}",
        "we see {body}",
        "{a_picture} with {body}",
        "here you see {body}",
        "this is {a_picture} of {body}",
        "a scene with {body}",
        "a scene that has {body} in it",
    ),
    orders=(
        "{who} {doing} {wearing} {beside} {where}",
        "{who} {wearing} {doing} {where} {beside}",
        "{who} {where} {doing} {wearing} {beside}",
        "{who} {doing} {where} {wearing} {beside}",
    ),
    where_first=(
        "{where}, {who} {doing} {wearing} {beside}",
        "{where} {who} {doing} {wearing} {beside}",
    ),
    jobs=(
        "{person} who works as {job}",
        "{person} working as {job}",
        "{job}, {person},",
        "{person} dressed as {job}",
        "the {bare_job}, {person},",
    ),
    plain=0.6,
)
HELD_OUT: Final = Templates(
    frames=(
        "{a_picture} that shows {body}",
        "here is {a_picture} of {body}",
        "here we see {body}",
        "this scene shows {body}",
        "in this {picture} you see {body}",
        "in this {picture} we see {body}",
    ),
    orders=(
        "{who} {beside} {where} {wearing} {doing}",
        "{who} {where} {beside} {wearing} {doing}",
    ),
    where_first=(
        "{where} we see {who} {wearing} {beside} {doing}",
        "{where} you see {who} {beside} {wearing} {doing}",
    ),
    jobs=(
        "{job} who is {person}",
        "{person} who is {job}",
    ),
    plain=0.0,
)
