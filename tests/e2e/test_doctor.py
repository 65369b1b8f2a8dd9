"""`wavepost doctor` before real proxies: with the files of deploy/, and with one fault in them."""

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.doctor import Certificates, Opinion, behind_caddy, behind_nginx
from tests.service import Server, count_rows, count_unfinished, execute, running, wait_for

Change = tuple[str, str]

IN_LOCATION = "        proxy_pass http://wavepost;\n"
BUFFERED = ("proxy_request_buffering off;", "proxy_request_buffering on;")
NO_HOST = ("proxy_set_header Host $http_host;", "")
NO_FORWARDED_HOST = ("proxy_set_header X-Forwarded-Host $http_host;", "")


def inside(line: str) -> Change:
    """One line more where requests are passed on."""
    return IN_LOCATION, f"{IN_LOCATION}        {line}\n"


def before(location: str) -> Change:
    """One location more, for which nothing else holds."""
    return "    location / {\n        proxy", f"    {location}\n    location / {{\n        proxy"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that believes the proxies of this machine, on SQLite: they know no database."""
    folder = tmp_path_factory.mktemp("doctor")
    settings = {
        "database_url": f"sqlite:///{folder / 'wavepost.db'}",
        "trusted_proxies": "127.0.0.1",
        "signup_rate_limit": "0",
        "failure_rate_limit": "0",
    }
    with running(folder / "log", **settings) as server:
        yield server
        assert "Traceback" not in server.log


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    """An authority that the doctor is told to trust."""
    return Certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="module")
def certificate(certificates: Certificates) -> tuple[Path, Path]:
    """One that is good."""
    return certificates.issue()


@pytest.fixture(autouse=True)
def nothing_stays(server: Server) -> Iterator[None]:
    """Whatever the doctor met, it removed what it made."""
    yield
    url = server.settings["database_url"]
    wait_for(lambda: count_rows(url, "records") == count_unfinished(url) == 0, "records to go", 10)
    execute(url, "DELETE FROM users")


def assert_all_is_well(opinion: Opinion, server: Server) -> None:
    assert opinion.faults == opinion.said("not_tried") == {}
    assert opinion.status == 0
    assert opinion.left_behind is None
    assert count_rows(server.settings["database_url"], "users") == 0


def test_nothing_is_wrong_behind_our_nginx(
    server: Server, certificates: Certificates, certificate: tuple[Path, Path], tmp_path: Path
) -> None:
    with behind_nginx(server, tmp_path, certificate) as url:
        opinion = Opinion(url, "--ca", str(certificates.ca), "--slow", "4")
    assert_all_is_well(opinion, server)
    logged = (tmp_path / "wavepost.log").read_text()
    assert "GET /record 206" in logged
    assert "id=" not in logged, "a link is a key"


def test_nothing_is_wrong_behind_our_caddy(
    server: Server, certificates: Certificates, certificate: tuple[Path, Path], tmp_path: Path
) -> None:
    with behind_caddy(server, tmp_path, certificate) as url:
        opinion = Opinion(url, "--ca", str(certificates.ca), "--slow", "4")
    assert_all_is_well(opinion, server)


FAULTS: dict[str, tuple[tuple[str, ...], list[Change], list[str]]] = {
    "a limit on bodies": (
        ("size", "large"),
        [("client_max_body_size 0;", "client_max_body_size 10m;")],
        ["in front of the service", "client_max_body_size 0;"],
    ),
    "bodies are kept back": (
        ("streaming", "refusals"),
        [BUFFERED],
        ["proxy_request_buffering off;"],
    ),
    "HTTP/1.0 to the service": (
        ("refusals",),
        [("proxy_http_version 1.1;", "")],
        ["proxy_http_version 1.1;"],
    ),
    "each connection is closed": (
        ("refusals",),
        [('proxy_set_header Connection "";', "")],
        ['proxy_set_header Connection "";'],
    ),
    "no scheme is passed on": (
        ("links",),
        [("proxy_set_header X-Forwarded-Proto $scheme;", "")],
        ["'http'", "X-Forwarded-Proto $scheme;", "WAVEPOST_PUBLIC_URL=https://localhost"],
    ),
    "no host is passed on": (
        ("links",),
        [NO_HOST, NO_FORWARDED_HOST],
        ["'https://wavepost'", "WAVEPOST_PUBLIC_URL=https://localhost", "X-Forwarded-Host"],
    ),
    "callers choose the host": (
        ("forged",),
        [NO_FORWARDED_HOST],
        ["X-Forwarded-Host $http_host;"],
    ),
    "tokens are taken away": (
        ("account",),
        [inside('proxy_set_header Authorization "";')],
        ["Authorization $http_authorization;"],
    ),
    "Range is taken away": (
        ("range",),
        [inside('proxy_set_header Range "";')],
        ["Range is lost", "proxy_set_header Range $http_range;"],
    ),
    "MP3s are compressed": (
        ("download",),
        [inside("gzip on; gzip_types audio/mpeg;")],
        ["gzip_types without audio/mpeg"],
    ),
    "ETag is taken away": (
        ("download",),
        [inside("proxy_hide_header ETag;")],
        ["ETag", "proxy_hide_header"],
    ),
    "links are answered from a cache": (
        ("cache",),
        [
            inside(
                "proxy_cache kept; proxy_cache_valid 200 1h; proxy_cache_key $uri; "
                "proxy_ignore_headers Cache-Control;"
            ),
            ("proxy_buffering off;", ""),
        ],
        ["shows strangers", "proxy_cache off;"],
    ),
    "links alone are answered from a cache": (
        ("cache",),
        [
            before("location = /users/me { proxy_pass http://wavepost; }"),
            inside(
                "proxy_cache kept; proxy_cache_valid 200 1h; proxy_ignore_headers Cache-Control;"
            ),
            ("proxy_buffering off;", ""),
        ],
        ["A cache on the way answers links", "proxy_cache off;"],
    ),
    "errors have pages of the proxy": (
        ("errors",),
        [inside("proxy_intercept_errors on; error_page 404 /404.html;")],
        ["proxy_intercept_errors off;"],
    ),
    "methods are refused": (
        ("methods",),
        [inside("limit_except GET POST { deny all; }")],
        ["DELETE does not reach the service: 403", "limit_except"],
    ),
    "PATCH is refused": (
        ("methods", "resumable"),
        [inside("if ($request_method = PATCH) { return 405; }")],
        ["PATCH", "405", "$request_method"],
    ),
    "Upload-Offset is taken away": (
        ("resumable",),
        [inside("proxy_hide_header Upload-Offset;")],
        ["Upload-Offset", "proxy_hide_header"],
    ),
    "HEAD is refused": (
        ("head",),
        [inside("if ($request_method = HEAD) { return 405; }")],
        ["HEAD does not reach the service: 405", "$request_method"],
    ),
    "senders may not be silent": (
        ("slow",),
        [("client_body_timeout 60s;", "client_body_timeout 1s;")],
        ["client_body_timeout 60s;"],
    ),
    "no time to convert": (
        ("upload",),
        [before("location = /records { proxy_pass http://wavepost; proxy_read_timeout 1ms; }")],
        ["504", "proxy_read_timeout 300s;"],
    ),
    "unknown lengths are refused": (
        ("unknown-length",),
        [inside("if ($http_transfer_encoding) { return 411; }")],
        ["411", "proxy_http_version 1.1;"],
    ),
    "a password of the proxy's own": (
        ("service",),
        [inside("auth_basic wavepost; auth_basic_user_file /dev/null;")],
        ["401", "auth_basic off;"],
    ),
    "nobody behind the proxy": (
        ("service",),
        [("server 127.0.0.1:", "server 127.0.0.1:1; #")],
        ["502", "proxy_pass"],
    ),
    "a limit on requests": (
        ("forged",),
        [
            (
                "upstream wavepost {",
                "limit_req_zone $request_method$uri zone=few:1m rate=10r/m;\nupstream wavepost {",
            ),
            inside("limit_req zone=few; limit_req_status 429;"),
        ],
        ["429", "limit_req"],
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_of_nginx_is_found_and_the_line_named(
    fault: str,
    server: Server,
    certificates: Certificates,
    certificate: tuple[Path, Path],
    tmp_path: Path,
) -> None:
    names, changes, said = FAULTS[fault]
    only = [word for name in names for word in ("--only", name)]
    with behind_nginx(server, tmp_path, certificate, *changes) as url:
        opinion = Opinion(url, *only, "--slow", "5", "--ca", str(certificates.ca))
    assert set(opinion.faults) == set(names), opinion.checks
    assert opinion.status == 1
    for name, words in itertools.product(names, said):
        assert words in opinion.faults[name]
