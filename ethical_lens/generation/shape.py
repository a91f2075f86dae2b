"""What a pipeline can be asked, by the arguments that its class takes."""

import inspect
from dataclasses import dataclass
from typing import Any, Final, Self

NEEDED: Final = frozenset(
    {"prompt", "width", "height", "num_inference_steps", "generator", "output_type"}
)
"""Call arguments of every pipeline that paints still pictures from text."""

STEP_CALLBACKS: Final = ("callback_on_step_end", "callback")
"""Those that tell of each step, the first the newer one. Without either no run could be ended."""


@dataclass(frozen=True)
class Shape:
    """The call arguments of a pipeline class."""

    name: str
    arguments: frozenset[str]

    @classmethod
    def of(cls, pipeline_class: type[Any]) -> Self:
        """Raises `ValueError` where the class does not paint still pictures from a text alone, or
        where its runs cannot be followed and ended."""
        name, parameters = pipeline_class.__name__, inspect.signature(
            pipeline_class.__call__
        ).parameters  # fmt: skip
        shape = cls(name, frozenset(parameters) - {"self"})
        if missing := NEEDED - shape.arguments:
            raise ValueError(
                f"{name} does not paint pictures from text: it takes no "
                f"{', '.join(sorted(missing))}"
            )
        if "num_frames" in shape.arguments:
            raise ValueError(f"{name} makes videos, not pictures")
        if not shape.arguments.intersection(STEP_CALLBACKS):
            raise ValueError(f"{name} cannot be followed and ended: it takes no step callback")
        if wanted := [
            argument.name
            for argument in parameters.values()
            if argument.default is argument.empty
            and argument.kind is argument.POSITIONAL_OR_KEYWORD
            and argument.name not in NEEDED | {"self"}
        ]:
            raise ValueError(f"{name} wants more than a text: {', '.join(wanted)}")
        return shape

    def takes(self, argument: str) -> bool:
        """Whether the pipeline can be called with `argument`."""
        return argument in self.arguments
