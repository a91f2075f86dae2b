"""The Celery application: durable delivery, results never read.

Messages are wake-ups; PostgreSQL holds the truth. See docs/architecture.md, "The way of one job".
"""

import os
import sys

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("ethical_lens")
app.config_from_object("django.conf:settings", namespace="CELERY")
# Celery would close the database connection around every task. Ours lasts; `workers.leasing`
# checks it instead.
app.conf["CELERY_DB_REUSE_MAX"] = sys.maxsize
