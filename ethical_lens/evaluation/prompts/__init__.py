"""Sets of prompts: our own for the miniature world (`own`), and published ones (`loaders`).

`mini_toxicity.csv` and `mini_bias.csv` were written for this project and share its licence
(Apache-2.0). docs/evaluation.md says what their columns mean.
"""
