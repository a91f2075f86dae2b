"""The HTTP face of webhooks: what goes in and out (`schemas`), the addresses (`routes`)."""
