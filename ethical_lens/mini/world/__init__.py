"""The miniature world: drawings with a ground truth for everything.

- `scene`: what a drawing shows, as frozen values; the words of the world.
- `sampling`: scenes by chance, biased on purpose or balanced.
- `captions`: what a person would type to get a scene.
- `drawing`: a scene becomes a picture with masks, boxes and labels.
- `canvas`, `places`, `things`, `people`, `costumes`, `stand_ins`: how each part is drawn.

Torch-free. `docs/mini-world.md` shows every part.
"""
