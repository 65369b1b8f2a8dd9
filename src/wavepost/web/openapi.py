"""The OpenAPI document, put right where the framework's own differs from what we answer."""

from typing import Any

from fastapi import FastAPI

from wavepost.web.problems import ProblemResponse


def describe_problems(app: FastAPI) -> None:
    """Have the document give errors the type they have, and leave out those that never come."""
    generate = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _corrected(generate())
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]


def _corrected(document: dict[str, Any]) -> dict[str, Any]:
    for path in document["paths"].values():
        for operation in path.values():
            answers = operation["responses"]
            if "HTTPValidationError" in str(answers.get("422")):
                del answers["422"]
            for answer in answers.values():
                content = answer.get("content", {})
                if "ProblemAnswer" in str(content):
                    content[ProblemResponse.media_type] = content.pop("application/json")
    for unused in ("HTTPValidationError", "ValidationError"):
        document["components"]["schemas"].pop(unused, None)
    return document


def header_parameter(name: str, description: str, schema: dict[str, Any]) -> dict[str, Any]:
    """One header, for routes that read theirs themselves."""
    return {"name": name, "in": "header", "description": description, "schema": schema}


def query_parameter(
    name: str, description: str, schema: dict[str, Any], *, required: bool = False
) -> dict[str, Any]:
    """One parameter, for routes that read their query themselves."""
    return {
        "name": name,
        "in": "query",
        "required": required,
        "description": description,
        "schema": schema,
    }
