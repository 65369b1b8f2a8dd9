"""The words of the pages: the same in every language, and all of them used."""

import re

import pytest

from wavepost.web.negotiation import quality
from wavepost.web.pages import FOLDER, LANGUAGES, STATIC, WORDS, chosen_language

PLURALS = {"en": {"one", "other"}, "ru": {"one", "few", "many", "other"}}
"""The categories of each language (Unicode CLDR)."""

FAMILIES = ("code_", "state_", "tag_", "missing_", "unavailable_")
"""Words whose names are put together where they are said."""


def forms(entry: str | dict[str, str]) -> dict[str, str]:
    """Its plurals, or itself."""
    return entry if isinstance(entry, dict) else {"": entry}


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_has_the_same_words_with_the_same_gaps(language: str) -> None:
    assert list(WORDS[language]) == list(WORDS["en"])
    for key, entry in WORDS[language].items():
        if isinstance(entry, dict):
            assert set(entry) == PLURALS[language], key
        gaps = {
            gap
            for words in (entry, WORDS["en"][key])
            for form in forms(words).values()
            for gap in re.findall(r"\{\w+\}", form)
        }
        assert all(set(re.findall(r"\{\w+\}", form)) == gaps for form in forms(entry).values()), key


def test_all_words_are_said_somewhere_and_none_are_missing() -> None:
    scripts = [path for path in STATIC.rglob("*.js") if "vendor" not in path.parts]
    source = "".join(path.read_text("utf-8") for path in [*scripts, *FOLDER.rglob("*.html")])
    said = set(re.findall(r'say\(\s*"(\w+)"', source)) | set(re.findall(r"{{ words\.(\w+)", source))
    assert said <= set(WORDS["en"])
    named = {key for key in WORDS["en"] if re.search(rf'[".]{key}\b', source)}
    rest = set(WORDS["en"]) - named
    assert {key for key in rest if not key.startswith(FAMILIES)} == set()


@pytest.mark.parametrize(
    ("accept", "language"),
    [
        ("", "en"),
        ("ru", "ru"),
        ("ru-RU,ru;q=0.9,en-US;q=0.8", "ru"),
        ("en-GB,ru;q=0.9", "en"),
        ("de,ru;q=0.3,en;q=0.2", "ru"),
        ("de", "en"),
        ("ru;q=0", "en"),
        ("rus, ruby", "en"),
        (";;,,q=", "en"),
    ],
)
def test_the_language_is_the_one_that_is_wanted_most(accept: str, language: str) -> None:
    assert chosen_language(accept) == language


def test_an_exact_name_is_found_among_others() -> None:
    assert quality("text/plain;q=0.5, application/json", "text/plain") == 0.5
    assert quality("text/plainer", "text/plain") == 0
