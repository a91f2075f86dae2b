"""A chat model in this process: `prompt` (what it reads), `constraint` (what it may write), `model`."""
