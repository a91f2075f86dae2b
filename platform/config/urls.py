"""The addresses: API, admin, playground, health."""

from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView

from config.api import api
from config.health import livez, readyz
from config.metrics import metrics
from openai_api.api import api as openai_api

urlpatterns = [
    path("", RedirectView.as_view(url="/api/v1/docs")),
    path("api/v1/", api.urls),
    path("v1/", openai_api.urls),
    path("", include("accounts.urls")),
    path("", include("moderation.urls")),
    path("", include("policies.urls")),
    path("playground/", include("playground.urls")),
    path("admin/review/", include("desk.urls")),
    path("admin/", admin.site.urls),
    path("livez", livez),
    path("readyz", readyz),
    path("metrics", metrics),
]

handler400 = "config.problems.bad_request"
handler404 = "config.problems.not_found"
handler500 = "config.problems.server_error"
