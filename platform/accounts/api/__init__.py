"""The HTTP face of API keys: what goes in and out (`schemas`), the addresses (`routes`)."""
