"""What can go wrong while painting. SDK errors are translated into these at the edge."""


class GenerationError(Exception):
    """Nothing was painted; no picture of the batch may be used."""


class PipelineUnavailable(GenerationError):
    """The pipeline cannot be loaded: not there, incomplete, or not of a usable shape."""


class OutOfMemory(GenerationError):
    """The batch does not fit. Memory was given back; a smaller batch may fit."""


class UnusablePictures(GenerationError):
    """The model gave numbers that are not finite. `pictures` are their places in the batch."""

    def __init__(self, pictures: tuple[int, ...]) -> None:
        self.pictures = pictures
        super().__init__(
            f"picture {', '.join(map(str, pictures))} of the batch came out with non-finite "
            "values (half precision that overflows is the usual cause: try float32 or bfloat16)"
        )
