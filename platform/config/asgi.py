"""The ASGI application. Each request has a thread of its own here, hence the connection pool."""

import gc
import os
from importlib import import_module

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
os.environ["DATABASE_POOL_SIZE"] = os.environ.get("DATABASE_POOL_SIZE") or "10"

application = get_asgi_application()
# What stays for ever is loaded now and not looked through at every collection: that takes half a
# second, in the middle of a request.
import_module("config.urls")
gc.collect()
gc.freeze()
