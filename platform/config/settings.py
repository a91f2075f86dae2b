"""Django settings. Everything that differs between machines comes from `environment.py`."""

from datetime import timedelta
from pathlib import Path

from celery.schedules import crontab
from csp import constants as csp
from django.templatetags.static import static
from django.urls import reverse_lazy

from config.environment import read_environment

ENVIRONMENT = read_environment()
BASE_DIR = Path(__file__).resolve().parents[2]

SECRET_KEY = ENVIRONMENT.secret_key
SECRET_KEY_FALLBACKS = list(ENVIRONMENT.secret_key_fallbacks)
DEBUG = ENVIRONMENT.debug
ALLOWED_HOSTS = list(ENVIRONMENT.allowed_hosts)
CSRF_TRUSTED_ORIGINS = list(ENVIRONMENT.csrf_trusted_origins)
SECURE_SSL_REDIRECT = SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = ENVIRONMENT.https
SECURE_HSTS_SECONDS = 31_536_000 if ENVIRONMENT.https else 0
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if ENVIRONMENT.https else None
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [csp.NONE],
        # Alpine.js, which unfold is made of, evaluates the expressions in attributes.
        "script-src": [csp.SELF, csp.UNSAFE_EVAL],
        # unfold writes its colours into the page, and widths and places into attributes.
        "style-src": [csp.SELF, csp.UNSAFE_INLINE],
        # An original that is looked at is held in memory (blob:), never in a cache.
        "img-src": [csp.SELF, "data:", "blob:"],
        "font-src": [csp.SELF],
        "connect-src": [csp.SELF],
        "form-action": [csp.SELF],
        "base-uri": [csp.NONE],
        "frame-ancestors": [csp.NONE],
    }
}

INSTALLED_APPS = [
    "unfold.apps.BasicAppConfig",
    "config.desk.DeskConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "axes",
    "django_otp",
    "django_otp.plugins.otp_totp",
    "django_otp.plugins.otp_static",
    "ninja",  # its docs page, from our own static files
    "accounts",
    "webhooks",
    "jobs",
    "moderation",
    "policies",
    "desk",
    "playground",
]

MIDDLEWARE = [
    "config.requests.RequestIdMiddleware",
    "config.tracing.TraceMiddleware",
    "accounts.rates.RateLimitMiddleware",
    "config.problems.method_problems",
    "config.page_middleware.Security",
    "config.content_security.ContentSecurityPolicy",
    "config.passing.StaticFiles",
    "config.page_middleware.Sessions",
    "config.page_middleware.Common",
    "config.page_middleware.Forms",
    "config.page_middleware.People",
    "django_otp.middleware.OTPMiddleware",
    "config.page_middleware.Messages",
    "config.page_middleware.Frames",
]

ROOT_URLCONF = "config.urls"
ASGI_APPLICATION = "config.asgi.application"
AUTH_USER_MODEL = "accounts.User"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_TZ = True
STATIC_URL = "static/"
STATICFILES_DIRS = [Path(__file__).with_name("static")]
WHITENOISE_USE_FINDERS = True  # no collectstatic step

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [Path(__file__).with_name("templates")],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

DATABASES = {"default": ENVIRONMENT.database}
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": ENVIRONMENT.redis_url,
        "KEY_PREFIX": "ethical-lens",
    }
}
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "django.contrib.auth.backends.ModelBackend",
]
AXES_FAILURE_LIMIT = ENVIRONMENT.login_failures
AXES_COOLOFF_TIME = timedelta(seconds=ENVIRONMENT.login_lock_seconds)
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_CLIENT_IP_CALLABLE = "accounts.signing_in.address_of"
AXES_RESET_ON_SUCCESS = True
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False
AXES_ENABLE_ACCESS_FAILURE_LOG = True
AXES_ACCESS_FAILURE_LOG_PER_USER_LIMIT = 100_000
AXES_ENABLE_ADMIN = False  # ours shows it, see accounts/access_admin.py
AXES_VERBOSE = False
SILENCED_SYSTEM_CHECKS = [
    "axes.W002",  # the form itself says that somebody is locked out
    # They look for Django's names; its middleware is there, see config/page_middleware.py.
    *("security.W001", "security.W002", "security.W003"),
]

# A session ends with the browser, when nothing is asked for so long, and see accounts/sessions.py.
SESSION_ENGINE = "accounts.sessions"
SESSION_EXPIRE_AT_BROWSER_CLOSE = True
SESSION_COOKIE_AGE = ENVIRONMENT.session_idle_seconds
OTP_TOTP_ISSUER = "Ethical-Lens"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]

DATA_UPLOAD_MAX_MEMORY_SIZE = 512 * 1024  # of a batch; other bodies are bound by their parser
_SOURCES = ENVIRONMENT.model_sources()
DIFFUSION_MODELS, LORAS = _SOURCES.pipelines, _SOURCES.loras

QUEUES = ("text", "generate", "scrutinise", "fetch", "io", "webhooks")

# Celery. Results are never read; every stage is claimed and finished in PostgreSQL.
CELERY_BROKER_URL = ENVIRONMENT.redis_url
CELERY_IMPORTS = ("workers.tasks",)
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = False
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
CELERY_TASK_PUBLISH_RETRY_POLICY = {"max_retries": 1, "interval_start": 0.1}
CELERY_TASK_DEFAULT_QUEUE = "io"
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": ENVIRONMENT.visibility_timeout_seconds,
    # Queues are drained in the order a worker lists them: `-Q scrutinise,generate`.
    "queue_order_strategy": "priority",
    "priority_steps": [0],
    "socket_timeout": 10,
    "socket_connect_timeout": 5,
    "socket_keepalive": True,
    "health_check_interval": 10,
}
CELERY_BEAT_SCHEDULE = {
    "forget-workers": {
        "task": "workers.forget_workers",
        "schedule": 15.0,
        "options": {"queue": "io", "expires": 30.0},
    },
    "forget-expired": {
        "task": "workers.forget_expired",
        "schedule": crontab(hour="3", minute="15"),
        "options": {"queue": "io", "expires": 3600.0},
    },
    "erase": {
        "task": "workers.erase",
        "schedule": crontab(minute="30"),
        "options": {"queue": "io", "expires": 1800.0},
    },
    "sweep": {
        "task": "workers.sweep",
        "schedule": crontab(hour="3", minute="0"),
        "options": {"queue": "io", "expires": 3600.0},
    },
}

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {
            "format": "{asctime} {levelname} {name} [{request_id}] [{trace_id}] {message}",
            "style": "{",
        },
    },
    "filters": {
        "request_id": {"()": "config.requests.RequestIdFilter"},
        "trace_id": {"()": "config.tracing.TraceFilter"},
    },
    "handlers": {
        "stderr": {
            "class": "logging.StreamHandler",
            "formatter": "line",
            "filters": ["request_id", "trace_id"],
        },
    },
    "root": {"handlers": ["stderr"], "level": ENVIRONMENT.log_level},
}

LOGIN_URL = reverse_lazy("admin:login")
LOGIN_REDIRECT_URL = reverse_lazy("admin:index")
UNFOLD = {
    "SITE_TITLE": "Ethical-Lens",
    "SITE_HEADER": "Ethical-Lens",
    "SITE_SYMBOL": "shield_person",
    "SITE_URL": reverse_lazy("admin:index"),
    "STYLES": [lambda _request: static("moderation/desk.css")],
    "LOGIN": {"form": "accounts.signing_in.SignInForm"},
    "SCRIPTS": [lambda _request: static("moderation/buttons.js")],
    "ACCOUNT": {
        "navigation": [
            {"title": "Two-factor sign-in", "link": reverse_lazy("accounts:two_factor")},
        ],
    },
    "DASHBOARD_CALLBACK": "moderation.dashboard.counts",
    "SIDEBAR": {"navigation": "moderation.dashboard.navigation"},
}
