"""Whether open event streams starve the API of one web process."""
