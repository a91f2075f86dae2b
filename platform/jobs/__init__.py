"""Jobs, from submission to their one end. The map of this app, in the order a job travels:

- `states`: the statuses and every allowed move between them.
- `stages`: the ordered list that is the pipeline.
- `models`: the rows.
- `services`: submit, cancel, end.
- `dispatch`: admission in fair order, and the only place that builds Celery chains.
- `claims`: a stage is claimed and finished under a guard, by one holder at a time.
- `recording`: what each stage writes when it finishes.
- `reconcile`: what brings back stages whose worker or message was lost.
- `storage`: the object store.
- `api`: the HTTP face.
"""
