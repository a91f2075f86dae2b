"""The model libraries' own progress bars, switched off: each command has one of its own."""

import diffusers
import transformers


def quiet_libraries() -> None:
    """For the rest of the process. Their errors still come through."""
    for library in (diffusers, transformers):
        library.utils.logging.disable_progress_bar()
        library.utils.logging.set_verbosity_error()
