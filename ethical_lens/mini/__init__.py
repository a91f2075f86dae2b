"""The miniature world: a small drawn universe with ground truth, and real models trained on it.

- `world`: scenes, how they are drawn and what captions say of them.
- `bpe`: the vocabulary of those captions.
- `training`: how each model is trained, from a seed.
- `bars`: what each model reaches, as shares.
- `rebuild`: all models in order, with their bars.
- `judge`: reads pictures of the world, for evaluation alone.
- `weights`: the trained models, and the preset `mini` that names them.

docs/mini-world.md shows the world.
"""
