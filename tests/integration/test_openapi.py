"""The OpenAPI document is true: schemathesis tries every operation with good and bad values."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.resuming import Upload
from tests.schemathesis_hooks import TONE
from tests.service import Caller, Server

ROOT = Path(__file__).parents[2]
EXAMPLES = 25
"""For each operation, beside the boundary values that the schema itself gives."""

CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "unsupported_method",
    "allow_header_conformance",
    "ignored_auth",
    "use_after_free",
)

LEAVING = r"^(DELETE /users/me|POST /users/me/token)$"
"""After these the token is worth nothing any more."""


@pytest.mark.parametrize("has_token", [True, False], ids=["with a token", "without"])
def test_no_answer_but_those_that_the_document_names(
    server: Server, ann: Caller, tmp_path: Path, has_token: bool
) -> None:
    record = ann.record()
    uploads = server.log.count("POST /records 201 ")
    options = ["--exclude-name-regex", LEAVING] if has_token else []
    if has_token:
        options += ["--header", f"Authorization: Bearer {ann.token}"]
    known = {"SCHEMATHESIS_RECORD": record["id"], "SCHEMATHESIS_USER": ann.id}
    known["SCHEMATHESIS_UPLOAD"] = Upload(ann, len(TONE)).path.rpartition("/")[2]
    done = subprocess.run(
        [
            *(Path(sys.executable).parent / "schemathesis", "run", f"{server.url}/openapi.json"),
            *("--checks", ",".join(CHECKS), "--max-examples", str(EXAMPLES), "--no-color"),
            *("--seed", "1", "--warnings", "off", "--generation-database", "none", *options),
        ],
        env={**os.environ, **known, "SCHEMATHESIS_HOOKS": "tests.schemathesis_hooks"},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    uploads = server.log.count("POST /records 201 ") - uploads
    # The line of ann's own may have come late.
    assert uploads > 5 if has_token else uploads <= 1
