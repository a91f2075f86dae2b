"""Routes in OpenAI's shape, under `/v1`: its clients work with a base URL and a key of ours.

- `api`: the addresses, and the list of models.
- `images`: pictures made.
- `edits`: pictures painted on one that was sent.
- `moderations`: texts and pictures judged.
- `waiting`: from a submission to the end of its jobs, without a thread meanwhile.
- `retries`: a client's own repetitions make no second job.
- `errors`: problems as OpenAI words them.
- `answers`, `examples`, `kinds`: what the document at `/v1/openapi.json` says of them.

Nothing here decides or paints: each request becomes jobs, as those of `/api/v1`.
"""
