"""What each miniature model must reach, measured on drawings that no training has seen.

Every module has `measure(models, count)`: shares between 0 and 1 by name, for the models in the
folder `models`, over `count` drawings of a seed of its own.
"""
