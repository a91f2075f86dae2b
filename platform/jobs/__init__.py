"""Jobs, from submission to their one end. The map of this app, in the order a job travels:

- `states`: the statuses and every allowed move between them.
- `stages`: the ordered list that is the pipeline.
- `models`: the rows.
- `services`: submit, cancel, and which stages a job gets.
- `outbox`: jobs whose chain is to be sent, written in the transaction that makes it so.
- `dispatch`: admission in fair order, and the only place that builds Celery chains.
- `claims`: a stage is claimed and finished under a guard, by one holder at a time.
- `promotion`: the next stage becomes ready.
- `recording`: what each stage writes when it finishes.
- `ending`: how a job ends, is held or is settled: status, charge and event in one place.
- `exhaustion`: what becomes of a job whose stage used up its attempts.
- `reconcile`: what brings back stages whose worker or message was lost.
- `sweep`: what is left behind goes.
- `storage`: the object store.
- `api`: the HTTP face.
"""
