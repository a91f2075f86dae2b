"""Prompts in, pictures out, through any SD- or SDXL-shaped diffusers pipeline.

- `request`: what to paint, a frozen value. Torch-free.
- `errors`: what can go wrong. Torch-free.
- `painter`: the pipeline, loaded once, that paints batches.
"""
