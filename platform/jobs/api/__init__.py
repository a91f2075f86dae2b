"""The HTTP face of jobs: what comes in (`schemas`), the addresses (`routes`)."""
