"""Concept heads from pictures and raters: `python -m ethical_lens.training.heads --help`.

In the order the data travels (docs/training-heads.md):

- `table`        the CSV of the raters -> votes
- `contents`     picture files -> digests of what they show; bad ones by name
- `majority`     votes -> a label per picture and concept, and what is left out
- `parts`        pictures -> train, validation, test, by their content
- `features`     pictures -> features of the frozen encoder, kept on disk
- `fitting`      features and labels -> a head
- `checkpoints`  the head at the step that does best on the validation part
- `calibration`  the head, so that its score is a probability
- `measures`     scores and labels -> curves, shares with intervals, a threshold
- `saved`        what is finished, so that a run goes on; what scrutiny loads
- `run`          all of it
- `plots`, `report`   the folder that people read
"""
