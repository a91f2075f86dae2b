"""The reference's way beside this project's, in one run. See README.md beside this.

- `weights`: the models both sides load, of the published shapes.
- `described`: the reference's way, written from its description.
- `side`: one side in a process of its own, told when to work.
- `scrutiny`, `blurring`, `llm_calls`, `batching`: what is compared.
"""
