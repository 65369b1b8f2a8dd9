"""Who may register."""

from pathlib import Path

import httpx2
import pytest

from tests.service import Server, assert_problem, run, running

KEY = "a key of the operator"


def register(server: Server, key: str | None = None) -> httpx2.Response:
    headers = {"Authorization": f"Bearer {key}"} if key is not None else {}
    return server.client.post("/users", json={"name": "Ann"}, headers=headers)


def told(server: Server) -> str:
    """Who may register, as a page hears before it asks for a name."""
    who: str = server.client.get("/limits").json()["signup"]
    return who


def test_with_a_key_only_its_holders_register(tmp_path: Path) -> None:
    settings = {"data": str(tmp_path / "data"), "signup": "key", "signup_key": KEY}
    with running(tmp_path / "log", **settings) as server:
        assert told(server) == "key"
        for wrong in (None, "another", KEY + "x", KEY.upper()):
            problem = assert_problem(register(server, wrong), 401, "unauthorized")
            assert "sign-up key" in problem["detail"]
        answer = register(server, KEY)
        assert answer.status_code == 201
        token = {"Authorization": f"Bearer {answer.json()['access_token']}"}
        assert server.client.get("/users/me", headers=token).status_code == 200
        assert KEY not in server.log


def test_closed_nobody_registers_and_users_go_on(tmp_path: Path) -> None:
    data = str(tmp_path / "data")
    with running(tmp_path / "log", data=data) as server:
        assert told(server) == "open"
        token = register(server).json()["access_token"]
    with running(tmp_path / "log", data=data, signup="closed") as server:
        assert told(server) == "closed"
        assert_problem(register(server), 401, "unauthorized")
        headers = {"Authorization": f"Bearer {token}"}
        assert server.client.get("/users/me", headers=headers).status_code == 200


@pytest.mark.parametrize(
    "settings",
    [
        {"signup": "key"},
        {"signup_key": KEY},
        {"signup": "closed", "signup_key": KEY},
        {"signup": "key", "signup_key": " "},
        {"signup": "key", "signup_key": "\u00e9t\u00e9"},
    ],
    ids=["no key", "a key for nothing", "a key and closed", "a blank", "not ASCII"],
)
def test_settings_that_contradict_are_refused(settings: dict[str, str]) -> None:
    done = run("settings", **settings)
    assert done.returncode == 2
    assert "WAVEPOST_SIGNUP_KEY" in done.stderr
    assert KEY not in done.stderr


def test_the_key_is_not_shown() -> None:
    shown = run("settings", signup="key", signup_key=KEY)
    assert shown.returncode == 0
    assert KEY not in shown.stdout
