"""The API: one version, one schema, problems for errors."""

from csp.constants import SELF
from csp.decorators import csp_replace
from ninja.openapi.docs import Swagger

from accounts.api.examples import DOCUMENTED as OF_KEYS
from accounts.api.routes import router as keys_router
from config.openapi.api import DocumentedAPI
from config.problems import BoundedParser, install_problem_handlers
from jobs.api.examples import DOCUMENTED as OF_JOBS
from jobs.api.moderation_examples import DOCUMENTED as OF_MODERATIONS
from jobs.api.moderations import router as moderations_router
from jobs.api.routes import router as jobs_router
from webhooks.api.examples import DOCUMENTED as OF_WEBHOOKS
from webhooks.api.routes import router as webhooks_router

DOCUMENTED = OF_JOBS | OF_KEYS | OF_MODERATIONS | OF_WEBHOOKS


api = DocumentedAPI(
    documented=DOCUMENTED,
    title="Ethical-Lens",
    version="1",
    description=(
        "Moderated text-to-image generation. Submit a job, follow it, fetch what was released; "
        "every step of moderation is explained under its decisions. Errors are "
        "`application/problem+json` with a stable `code`. The routes in OpenAI's shape have a "
        "document of their own, `/v1/openapi.json`."
    ),
    urls_namespace="api",
    parser=BoundedParser(),
    # Else every operation is a link within a button, which not everybody can use.
    docs=Swagger({"deepLinking": False}),
    docs_decorator=csp_replace({"script-src": [SELF]}),
)
api.add_router("/jobs", jobs_router, tags=["jobs"])
api.add_router("/moderations", moderations_router, tags=["moderations"])
api.add_router("/api-keys", keys_router, tags=["API keys"])
api.add_router("/webhook-endpoints", webhooks_router, tags=["webhooks"])
install_problem_handlers(api, prefix="/api/")
