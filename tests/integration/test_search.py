"""A user's recordings are found by a part of their name."""

import unicodedata

import pytest

from tests import sound
from tests.service import Caller, Server, assert_problem, execute

WAV = sound.wav(sound.tone(0.05, 8_000), 8_000)


def keep(caller: Caller, *names: str) -> None:
    for name in names:
        answer = caller.post(WAV, name=name)
        assert answer.status_code == 201, answer.text
        assert answer.json()["name"] == name


def found(caller: Caller, text: str) -> list[str]:
    """The names that a search finds, newest first."""
    answer = caller.get("/records", params={"name": text})
    assert answer.status_code == 200, answer.text
    return [record["name"] for record in answer.json()["records"]]


def test_a_part_of_the_name_is_enough(ann: Caller) -> None:
    keep(ann, "call with Bob.wav", "call with Eve.wav", "note.wav")
    assert found(ann, "call with Bob.wav") == ["call with Bob.wav"]
    assert found(ann, "with") == ["call with Eve.wav", "call with Bob.wav"]
    assert found(ann, "te.w") == ["note.wav"]
    assert found(ann, "with note") == []


@pytest.mark.parametrize(
    "name", ["Interview.wav", "Équipe.wav", "Совещание Ёлки.wav", "ΟΔΟΣ.wav", "Հարցազրույց.wav"]
)
def test_case_does_not_matter_in_any_script(ann: Caller, name: str) -> None:
    keep(ann, name, name.upper(), name.lower(), "another.wav")
    same = [name.lower(), name.upper(), name]
    word = name.partition(".")[0]
    for text in (word, word[:3].upper(), word[:3].lower(), word.swapcase()[:3], name.upper()):
        assert found(ann, text) == same, text


def test_letters_match_however_they_are_put_together(ann: Caller) -> None:
    composed, decomposed = (unicodedata.normalize(form, "Андрей.wav") for form in ("NFC", "NFD"))
    keep(ann, composed, decomposed)
    assert found(ann, composed.upper()) == found(ann, decomposed) == [decomposed, composed]


@pytest.mark.parametrize("text", ["100%", "a_b", "%", "_", "[", "*", "?", "'", '"'])
def test_every_character_stands_for_itself(ann: Caller, text: str) -> None:
    keep(ann, f"is {text} here.wav", "is 100 axb here.wav")
    assert found(ann, text) == [f"is {text} here.wav"]


@pytest.mark.parametrize(
    "text", ["\\_", "a\\_b", "\\", "/", "/_", "/%", "a/_b", "\\\\", "%%", "/" * 255]
)
def test_nothing_takes_the_meaning_of_a_character_away(ann: Caller, text: str) -> None:
    keep(ann, "a_b%.wav")
    assert found(ann, text) == []


def test_pages_hold_every_match_once_newest_first(ann: Caller) -> None:
    keep(ann, "Call 1.wav", "note 1.wav", "call 2.wav", "CALL 3.wav", "note 2.wav", "call 4.wav")
    seen, query = [], {"name": "call", "limit": 3}
    while True:
        page = ann.get("/records", params=query).json()
        seen.append([record["name"] for record in page["records"]])
        if page["next"] is None:
            break
        query["cursor"] = page["next"]
    assert seen == [["call 4.wav", "CALL 3.wav", "call 2.wav"], ["Call 1.wav"]]


def test_a_full_last_page_names_no_page_after(ann: Caller) -> None:
    keep(ann, "note.wav", "call 1.wav", "call 2.wav")
    page = ann.get("/records", params={"name": "call", "limit": 2}).json()
    assert (len(page["records"]), page["next"]) == (2, None)


def test_somebody_elses_recordings_are_not_found(ann: Caller, bob: Caller) -> None:
    keep(bob, "call of Bob.wav")
    keep(ann, "call of Ann.wav")
    assert found(ann, "call") == ["call of Ann.wav"]
    assert found(ann, "Bob") == []


def test_what_has_expired_is_not_found(ann: Caller, server: Server) -> None:
    keep(ann, "call that expires.wav", "call that stays.wav")
    expire = "UPDATE records SET expires_at = created_at WHERE name = 'call that expires.wav'"
    execute(server.settings["database_url"], expire)
    assert found(ann, "call") == ["call that stays.wav"]


def test_an_empty_text_is_no_filter(ann: Caller) -> None:
    keep(ann, "call.wav", "note.wav")
    assert ann.get("/records", params={"name": ""}).json() == ann.get("/records").json()
    assert found(ann, "") == ["note.wav", "call.wav"]


def test_a_text_as_long_as_the_longest_name(ann: Caller) -> None:
    name = "Щ" * 255
    keep(ann, name)
    assert found(ann, name.lower()) == [name]


@pytest.mark.parametrize("text", ["x" * 256, "%" * 9000, "\x00", "call\x00"])
def test_a_text_that_no_name_can_contain(ann: Caller, text: str) -> None:
    problem = assert_problem(ann.get("/records", params={"name": text}), 422, "invalid_request")
    assert problem["errors"][0]["field"] == "name"


@pytest.mark.parametrize("bytes_sent", ["%ED%A0%80", "%ff", "%C3", "%F4%90%80%80", "%0A", "%"])
def test_what_is_no_text_finds_nothing(ann: Caller, bytes_sent: str) -> None:
    keep(ann, "call.wav")
    assert ann.get(f"/records?name={bytes_sent}").json() == {"records": [], "next": None}
