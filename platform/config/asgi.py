"""The ASGI application. Each request has a thread of its own here, hence the connection pool."""

import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
os.environ["DATABASE_POOL_SIZE"] = os.environ.get("DATABASE_POOL_SIZE") or "10"

application = get_asgi_application()
