"""The addresses under `/v1`."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils import timezone

from accounts.authentication import APIKeyAuth, request_key
from accounts.models import Scope
from config.openapi.api import DocumentedAPI
from config.problems import BoundedParser, Problem, install_problem_handlers
from ethical_lens.policy import NotAllowed
from moderation.policies import policy_of_version
from openai_api.answers import ModelOut, ModelsOut
from openai_api.edits import router as edits
from openai_api.errors import error_response
from openai_api.examples import DOCUMENTED
from openai_api.images import router as images
from openai_api.kinds import ERROR
from openai_api.moderations import router as moderations
from policies.assignments import version_in_force

READ = APIKeyAuth(Scope.JOBS_READ)

api = DocumentedAPI(
    documented=DOCUMENTED,
    shape=ERROR,
    title="Ethical-Lens in OpenAI's shape",
    version="1",
    description=(
        "For OpenAI's clients, as they are. Every request becomes jobs, which `/api/v1` shows, and "
        "is answered once they have ended. Errors have OpenAI's shape and the codes of `/api/v1`."
    ),
    urls_namespace="openai",
    parser=BoundedParser(),
    docs_url=None,
)
api.add_router("/images", images, tags=["images"])
api.add_router("/images", edits, tags=["images"])
api.add_router("/moderations", moderations, tags=["moderations"])
install_problem_handlers(api, prefix="/v1/", respond=error_response)


@api.get("/models", auth=READ, response=ModelsOut, tags=["models"], summary="List models")
def list_models(request: HttpRequest) -> dict[str, Any]:
    """The models that the tenant's policy lets it use, the one that is taken by default first."""
    return {"object": "list", "data": [_model(name) for name in _allowed(request)]}


@api.get("/models/{path:name}", auth=READ, response=ModelOut, tags=["models"], summary="A model")
def get_model(request: HttpRequest, name: str) -> dict[str, Any]:
    """One that the tenant's policy lets it use."""
    if name not in _allowed(request):
        raise Problem(404, "not_found", "There is no such object", "Check the id.")
    return _model(name)


def _allowed(request: HttpRequest) -> list[str]:
    tenant = request_key(request).tenant
    policy = policy_of_version(version_in_force(tenant, at=timezone.now()))
    allowed = []
    for name in settings.DIFFUSION_MODELS:
        try:
            policy.check_model(name)
        except NotAllowed:
            continue
        allowed.append(name)
    return allowed


def _model(name: str) -> dict[str, Any]:
    return {"id": name, "object": "model", "created": 0, "owned_by": "ethical-lens"}
