"""`/docs`: the API explains itself, ready to be tried, and loads nothing from elsewhere."""

import base64
import hashlib
import re

from fastapi import APIRouter
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.responses import HTMLResponse, Response

STATIC_URL = "/docs/static"

router = APIRouter(include_in_schema=False)


@router.get("/docs")
async def page() -> Response:
    """Swagger UI, under a policy that lets only its own scripts run."""
    return HTMLResponse(_HTML, headers={"Content-Security-Policy": _policy(_HTML)})


def _policy(html: str) -> str:
    """Everything from here, and no script in the page but those that it holds now."""
    scripts = re.findall(r"<script>(.*?)</script>", html, re.DOTALL)
    hashes = [base64.b64encode(hashlib.sha256(script.encode()).digest()) for script in scripts]
    allowed = " ".join(f"'sha256-{digest.decode()}'" for digest in hashes)
    return (
        f"default-src 'none'; script-src 'self' {allowed}; style-src 'self' 'unsafe-inline'; "
        "img-src 'self' data:; connect-src 'self'; media-src 'self' blob:; base-uri 'none'; "
        "form-action 'none'; frame-ancestors 'none'"
    )


_HTML = bytes(
    get_swagger_ui_html(
        # Relative: a proxy may serve us below a path.
        openapi_url="openapi.json",
        title="wavepost",
        swagger_js_url=f"{STATIC_URL[1:]}/swagger-ui-bundle.js",
        swagger_css_url=f"{STATIC_URL[1:]}/swagger-ui.css",
        swagger_favicon_url=f"{STATIC_URL[1:]}/favicon.png",
    ).body
).decode()
