"""The witness of the logs is judged itself: it sees whoever is named, and takes no word for a name."""

from __future__ import annotations

import logging

import pytest
import structlog

from profiles import matching
from tests.profiles.factories import ProfileFactory, make_people

log = structlog.get_logger("rollcall.test")


def leaks(witness) -> int:
    """Return how many lines name somebody, and let the test pass all the same."""
    found = len(witness.leaks())
    assert witness.lines, "nothing was logged: there is nothing to judge"
    witness.forget()
    return found


@pytest.fixture
def ann(workspace):
    """Somebody with identifiers of every kind."""
    return ProfileFactory.create(
        external_id="ann-x", email="a@people.example", devices=["phone:7"], aliases=[("label", "Annie B")]
    )


SAID = [
    "ann-x",
    "ANN-X",
    "e:ann-x",
    "Key (key)=(e:ann-x) already exists.",
    "of phone:7",
    "Annie B",
    "annie b's",
]


@pytest.mark.django_db
@pytest.mark.parametrize("text", SAID)
def test_id_is_seen_in_texts_and_fields_of_any_logger(logs_witness, ann, text):
    log.info(text)
    log.info("event", who=text)
    log.debug("event", inside={"list": [text]})
    logging.getLogger("elsewhere").warning("said: %s", text)
    assert leaks(logs_witness) == 4


@pytest.mark.parametrize(
    "text", ["ann@people.example", "<Ann.B+x@mail.co.example>", "to ann@x.example, today"]
)
def test_address_is_seen_whoever_has_it(logs_witness, text):
    log.info("event", who=text)
    logging.getLogger("django.request").error("Failed: %s", text)
    assert leaks(logs_witness) == 2


@pytest.mark.django_db
def test_what_an_exception_says_is_not_in_the_line_at_all(logs_witness, ann):
    try:
        int("ann-x has a@people.example")
    except ValueError:
        log.exception("event")
        logging.getLogger("elsewhere").exception("event")
    assert len(logs_witness.lines) == 2
    assert leaks(logs_witness) == 0


@pytest.mark.django_db
def test_people_of_other_factories_and_whoever_is_looked_up_are_known_too(logs_witness, workspace):
    make_people(workspace, ["made-1"])
    matching.match(workspace_id=workspace.pk, candidates=[["e:sent-1"], ["d:sent-2", "a:l:sent-3"]])
    for name in ("made-1", "sent-1", "sent-2", "sent-3"):
        log.info("event", who=name)
    assert leaks(logs_witness) == 4


@pytest.mark.django_db
def test_words_that_only_look_like_somebody_are_nobody(logs_witness, workspace):
    make_people(workspace, ["ann", "POST", "7", "x", "12345"])
    log.info("annual channel", method="POST", count=7, milliseconds=12345, key="rc_x", request_id="ann")
    assert leaks(logs_witness) == 0


@pytest.mark.django_db
def test_people_of_one_test_are_forgotten_by_the_next(logs_witness):
    assert logs_witness.ids | logs_witness.phrases == set()


@pytest.mark.django_db
def test_requests_are_watched_from_the_lowest_level_up(logs_witness, client):
    client.get("/livez")
    assert any('"event": "request"' in line for line in logs_witness.lines)
    assert logging.getLogger().getEffectiveLevel() == logging.DEBUG
