"""Training of what is the project's own: the concept heads.

- `heads`: pictures and raters' labels in, heads for `ethical_lens.image.heads` and thresholds out.
"""
