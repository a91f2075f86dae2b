"""What the model libraries raise for files that are missing, partial, damaged or of another kind.

Loaders translate these into their domain's error. A list, because the libraries share no base
class; an error that is not on it is a defect of ours and surfaces as it is.
"""

import pickle

from safetensors import SafetensorError

LOAD_FAILURES = (
    OSError,
    EOFError,
    ValueError,
    TypeError,
    KeyError,
    AttributeError,
    RuntimeError,
    ImportError,
    SafetensorError,
    pickle.UnpicklingError,
)
