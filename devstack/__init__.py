"""The services and processes under `make demo` and the tests, from wheels and without root.

Where to look:

* `stack`: PostgreSQL, Redis and an S3 server as one context manager.
* `processes`: a supervisor for the web server and the workers.
* `preflight`: what must hold before anything is started.
* `receiver`: a webhook receiver that checks signatures and answers as scripted.
* `service` and `postgres`, `redis_server`, `object_store`: how one service starts and stops.
* `outside`: services that the environment names and that are used instead.
* `root`: the data folder, its lock and its secrets.
* `spawn`, `ports`, `paths`, `signals`, `errors`: the ground floor.
"""
