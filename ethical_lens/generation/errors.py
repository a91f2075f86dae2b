"""What can go wrong while painting. SDK errors are translated into these at the edge."""


class GenerationError(Exception):
    """Nothing was painted; no picture of the batch may be used."""


class PipelineUnavailable(GenerationError):
    """The pipeline cannot be loaded: not there, incomplete, or not of a usable shape."""


class LoraUnavailable(GenerationError):
    """The LoRA is not known, cannot be loaded, or does not belong to the pipeline."""


class PromptTooLong(GenerationError):
    """The pipeline cannot read the whole prompt, and what it leaves out would not be painted."""


class OutOfMemory(GenerationError):
    """Not even one picture fits. Memory was given back; a smaller picture may fit."""


class UnusablePictures(GenerationError):
    """The model gave numbers that are not finite. `pictures` are their places in the batch."""

    def __init__(self, pictures: tuple[int, ...]) -> None:
        self.pictures = pictures
        super().__init__(
            f"picture {', '.join(map(str, pictures))} of the batch came out with non-finite "
            "values (half precision that overflows is the usual cause: try float32 or bfloat16)"
        )
