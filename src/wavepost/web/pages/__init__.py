"""The pages for people, in their language.

They are rendered here as far as a messenger that shows what a link leads to would see them, or a
reader without JavaScript; `static` holds the rest, drawn in the browser. No page loads anything
from elsewhere. Each answer has a policy of its own, under which the browser runs our files alone;
the nonce is for the style sheet that wavesurfer.js writes.
"""

import hashlib
import json
import re
import secrets
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.datastructures import Headers
from starlette.responses import HTMLResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from wavepost.web.negotiation import quality

FOLDER = Path(__file__).resolve().parent
STATIC = FOLDER / "static"

LANGUAGES = ("en", "ru")
"""The first one is for those who want none of them."""

WORDS: dict[str, dict[str, Any]] = {
    language: json.loads((STATIC / "words" / f"{language}.json").read_text("utf-8"))
    for language in LANGUAGES
}

_templates = Environment(
    loader=FileSystemLoader(FOLDER / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_templates.policies["json.dumps_kwargs"] = {"ensure_ascii": False}


def _version() -> str:
    digest = hashlib.sha256()
    for path in sorted(STATIC.rglob("*")):
        if path.is_file():
            digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


VERSION = _version()
"""Changes with any of the static files; a part of their addresses, so that they may be kept."""


STYLES = sorted(
    (path.relative_to(STATIC).as_posix() for path in STATIC.rglob("*.css")),
    key=lambda path: (not path.startswith("base/"), path),
)
"""Those of all pages; of two rules that differ, a room's own one comes later and holds."""


def _modules_of(entry: str) -> list[str]:
    """All that it imports, and they import in turn; not what is imported when it is needed."""
    found = [STATIC / entry]
    for path in found:
        for name in re.findall(r'(?:from|import)\s*"(\.[^"]+)"', path.read_text("utf-8")):
            needed = (path.parent / name).resolve()
            if needed not in found:
                found.append(needed)
    return sorted(path.relative_to(STATIC).as_posix() for path in found)


MODULES = {page: _modules_of(f"{page}.js") for page in ("home", "listen")}
"""What a page needs at once: it names them all, so that none waits for another."""


def render(
    template: str, headers: Headers, status: int = 200, *, microphone: bool = False, **values: Any
) -> HTMLResponse:
    """A page in the language that `headers` ask for, under its policy.

    `microphone`: whether it may ask for that.
    """
    language = chosen_language(headers.get("accept-language", ""))
    nonce = secrets.token_urlsafe(16)
    html = _templates.get_template(template).render(
        language=language,
        words=WORDS[language],
        static=f"page/{VERSION}",
        styles=STYLES,
        modules=MODULES,
        nonce=nonce,
        **values,
    )
    return HTMLResponse(
        html,
        status,
        {
            "Content-Security-Policy": _policy(nonce),
            "Permissions-Policy": f"microphone=({'self' if microphone else ''})",
            "Vary": "Accept-Language",
        },
    )


def chosen_language(accept: str) -> str:
    """The one of LANGUAGES that `Accept-Language` wants most."""
    return max(LANGUAGES, key=lambda language: quality(accept, language))


def _policy(nonce: str) -> str:
    return (
        f"default-src 'none'; script-src 'self'; style-src 'self' 'nonce-{nonce}'; "
        "img-src 'self'; connect-src 'self'; media-src 'self' blob:; base-uri 'none'; "
        "form-action 'none'; frame-ancestors 'none'"
    )


class StaticFilesOfAVersion(StaticFiles):
    """The static files, at addresses that hold a version.

    While replicas are replaced, a page of one version may get the files of another one. They are
    given, but not to be kept.
    """

    def file_response(self, full_path: Any, stat_result: Any, scope: Scope, *rest: Any) -> Response:
        """The file, or that it is the same."""
        response = super().file_response(full_path, stat_result, scope, *rest)
        is_ours = scope["path_params"]["version"] == VERSION
        kept = "public, max-age=31536000, immutable" if is_ours else "no-cache"
        response.headers["Cache-Control"] = kept
        return response
