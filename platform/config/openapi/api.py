"""Ninja's API, whose document says also what the types of the routes do not."""

from collections.abc import Mapping
from typing import Any

from ninja import NinjaAPI
from ninja.openapi.schema import OpenAPISchema

from config.openapi.document import document_complete
from config.openapi.documented import Documented
from config.openapi.shapes import PROBLEM, Shape


class DocumentedAPI(NinjaAPI):
    """Takes what is said of its routes, by `"POST /jobs"`, and how it words its problems."""

    def __init__(
        self, *, documented: Mapping[str, Documented], shape: Shape = PROBLEM, **options: Any
    ) -> None:
        super().__init__(**options)
        self.documented, self.shape = documented, shape

    def get_openapi_schema(self, **options: Any) -> OpenAPISchema:
        document = super().get_openapi_schema(**options)
        prefix = options.get("path_prefix") or self.get_root_path(options.get("path_params") or {})
        document_complete(document, self.documented, prefix=prefix.rstrip("/"), shape=self.shape)
        return document
