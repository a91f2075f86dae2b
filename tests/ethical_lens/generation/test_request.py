"""What can be asked of a painter."""

from typing import Any

import pytest
from pydantic import ValidationError

from ethical_lens.generation.request import PaintRequest

GOOD = {
    "prompt": "a doctor",
    "seed": 1,
    "width": 64,
    "height": 64,
    "steps": 4,
    "guidance_scale": 5.0,
}


@pytest.mark.parametrize(
    "wrong",
    [
        {"prompt": ""},
        {"seed": -1},
        {"seed": 2**63},
        {"width": 63},
        {"height": 0},
        {"steps": 0},
        {"guidance_scale": float("nan")},
        {"size": 64},
    ],
    ids=str,
)
def test_what_cannot_be_painted(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        PaintRequest.model_validate(GOOD | wrong)


def test_prompts_and_seeds_may_differ_within_a_batch() -> None:
    one = PaintRequest.model_validate(GOOD)
    other = PaintRequest.model_validate(
        GOOD | {"prompt": "a nurse", "negative_prompt": "rain", "seed": 2**63 - 1}
    )

    assert one.batch_key == other.batch_key
    for field, value in {"width": 72, "height": 72, "steps": 5, "guidance_scale": 1.0}.items():
        assert PaintRequest.model_validate(GOOD | {field: value}).batch_key != one.batch_key
