"""Training of what is the project's own: the concept heads.

- `heads`: features and labels in, heads for `ethical_lens.image.heads` out.
"""
