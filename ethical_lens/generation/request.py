"""What to paint."""

from pydantic import Field

from ethical_lens.results import Value


class PaintRequest(Value):
    """One picture. The same request gives the same picture, whatever else is in its batch.

    `width`, `height`: pixels, multiples of 8. `guidance_scale`: classifier-free guidance; up to
    1 means none, and then the negative prompt has no effect. `lora`: the name of LoRA weights that
    the painter knows; empty: none.
    """

    prompt: str = Field(min_length=1)
    negative_prompt: str = ""
    seed: int = Field(ge=0, lt=2**63)
    width: int = Field(ge=8, le=4096, multiple_of=8)
    height: int = Field(ge=8, le=4096, multiple_of=8)
    steps: int = Field(ge=1, le=1000)
    guidance_scale: float = Field(ge=0.0, le=100.0, allow_inf_nan=False)
    lora: str = ""

    @property
    def batch_key(self) -> tuple[int, int, int, float, str]:
        """Requests with the same key may be painted in one batch."""
        return (self.width, self.height, self.steps, self.guidance_scale, self.lora)
