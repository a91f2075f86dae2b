"""How the miniature models are made. `python -m ethical_lens.mini train --help` runs it.

- `drawings`: pictures of the world, drawn once and kept on disk.
- `loop`: an optimiser loop with a progress bar that goes on where it was interrupted.
- one module per model.
"""
