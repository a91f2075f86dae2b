"""Prompts in, pictures out, through any diffusers pipeline.

- `request`: what to paint, a frozen value. Torch-free.
- `errors`: what can go wrong. Torch-free.
- `shape`: what a class of pipelines can be asked. Torch-free.
- `long_prompts`: prompts beyond what a text encoder reads at once.
- `loras`: LoRA weights, for the time of a batch.
- `painter`: the pipeline, loaded once, that paints batches.
"""
