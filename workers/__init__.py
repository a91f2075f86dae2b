"""Celery workers: thin doorways to `ethical_lens` and to the services of the platform.

- `tasks`: one doorway per stage, an id in, one call.
- `leasing`: a stage is claimed, kept alive and finished or failed around the work.
- `heartbeat`: renews leases, writes the worker's health row, ends the process past a deadline.
- `loading`: models, once per process.
- `evaluate`: the next piece of an evaluation.
- `sent`: fetches and judges pictures that were sent.
- `align`, `generate`, `scrutinise`, `edit`, `release`, `deliver`: the work of each stage.

Workers do not fork (`--pool solo` or `threads`): CUDA does not survive a fork.
"""
