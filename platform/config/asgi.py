"""The ASGI application. Each request has a thread of its own here, hence the connection pool."""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
os.environ.setdefault("DATABASE_POOL_SIZE", "16")

from django.core.asgi import get_asgi_application  # noqa: E402 - after the environment is set

application = get_asgi_application()
