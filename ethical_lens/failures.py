"""What torch and the model libraries raise while they compute.

Whoever runs a model translates these into the error of its domain. A list, because the libraries
share no base class; an error that is not on it is a defect of ours and surfaces as it is.
"""

RUN_FAILURES = (
    RuntimeError,  # out of memory too
    MemoryError,
    ValueError,
    TypeError,
    AttributeError,
    LookupError,
    ArithmeticError,
    OSError,
)
