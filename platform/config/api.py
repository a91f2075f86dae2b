"""The API: one version, one schema, problems for errors."""

from ninja import NinjaAPI

from config.problems import BoundedParser, install_problem_handlers
from jobs.api.routes import router as jobs_router
from webhooks.api.routes import router as webhooks_router

api = NinjaAPI(
    title="Ethical-Lens",
    version="1",
    description=(
        "Moderated text-to-image generation. Submit a job, follow it, fetch what was released; "
        "every step of moderation is explained under its decisions. Errors are "
        "`application/problem+json` with a stable `code`."
    ),
    urls_namespace="api",
    parser=BoundedParser(),
)
api.add_router("/jobs", jobs_router, tags=["jobs"])
api.add_router("/webhook-endpoints", webhooks_router, tags=["webhooks"])
install_problem_handlers(api)
