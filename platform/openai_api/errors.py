"""Errors in OpenAI's shape, with the codes of our problems.

https://platform.openai.com/docs/guides/error-codes
"""

from typing import Any, Final

from django.http import HttpRequest, HttpResponse, JsonResponse

from config.problems import Problem, problem_headers

_TYPES: Final = {
    401: "authentication_error",
    403: "permission_error",
    429: "rate_limit_error",
}
NO_RETRY: Final = {"x-should-retry": "false"}
"""Tells OpenAI's clients that sending it again is of no use."""


class JobProblem(Problem):
    """What became of a job, as an error; `job` is where the job is seen."""

    def __init__(self, status: int, code: str, message: str, job: str, *, param: str = "") -> None:
        # A job goes on meanwhile, or has ended: only the first is worth another question.
        headers = {} if status == 504 else NO_RETRY
        errors = [(f"/{param}", "")] if param else []
        super().__init__(status, code, message, "", errors, headers=headers)
        self.job = job


def error_response(request: HttpRequest, problem: Problem) -> HttpResponse:
    """The answer for a problem. What a schema refuses is 400 here, not 422."""
    return JsonResponse(
        error_body(problem), status=error_status(problem.status), headers=problem_headers(problem)
    )


def error_status(status: int) -> int:
    """The status here of what is `status` below `/api/v1`."""
    return 400 if status == 422 else status


def error_body(problem: Problem) -> dict[str, Any]:
    """What the answer says, as JSON has it."""
    status = error_status(problem.status)
    fields = [at.strip("/").replace("/", ".") for at, _ in problem.errors]
    said = [f"{at}: {what}" for at, (_, what) in zip(fields, problem.errors, strict=True) if what]
    told = "; ".join(said) or problem.detail
    server = status >= 500
    body: dict[str, Any] = {
        "message": f"{problem.args[0].rstrip('.')}. {told}".rstrip(),
        "type": _TYPES.get(status, "server_error" if server else "invalid_request_error"),
        "param": fields[0].split(".")[0] if fields else None,
        "code": problem.code,
    }
    if isinstance(problem, JobProblem):
        body["job"] = problem.job
    return {"error": body}
