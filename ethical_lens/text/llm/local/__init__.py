"""A chat model in this process: `prompt` is what it reads, `constraint` what it may write."""
