"""Bodies as hostile as they come: sizes, gzip, JSON that parsers read differently, text that no database holds."""

from __future__ import annotations

import gzip
import json
import zlib

import pytest

from cohorts.models import Cohort
from tests.api.clients import page_body
from tests.profiles.factories import ProfileFactory

pytestmark = pytest.mark.django_db


@pytest.fixture(params=["partner", "webhook"])
def send(request, partner, mixpanel):
    """A function that posts raw bytes to a protocol; `%` in them is replaced by what makes them a good call."""

    def send(raw: bytes, **more):
        if request.param == "partner":
            secrets = json.dumps(partner.secrets, separators=(",", ":"))[1:-1].encode()
            return partner.post(partner.path + "/users", raw.replace(b"{%", b"{" + secrets + b","), **more)
        return mixpanel.send(raw.replace(b"{%", b'{"action":"members",'), **more)

    send.protocol = request.param
    return send


@pytest.fixture
def good(send) -> bytes:
    """A good body of the protocol, whole, written as our own JSON writer would: the parser has a fast path for these."""
    if send.protocol == "partner":
        return b'{%"cohort_id":"c","cohort_changes":[{"user_ids":["ann"]}]}'
    return b'{%"parameters":{"mixpanel_cohort_id":"c","members":[{"mixpanel_distinct_id":"ann"}]}}'


def is_refused(answer, status: int = 400) -> bool:
    assert answer["Content-Type"] == "application/json"
    assert not Cohort.objects.exists()
    return answer.status_code == status


# --- size --------------------------------------------------------------------------------------------------
def test_body_at_the_limit_passes_and_one_byte_more_is_413(mixpanel, settings):
    body = json.dumps(page_body(["ann"])).encode()
    settings.MAX_BODY_BYTES = len(body)
    assert mixpanel.send(body + b" ").status_code == 413
    assert mixpanel.send(body).status_code == 200


def test_413_comes_without_reading_the_body(send, settings):
    settings.MAX_BODY_BYTES = 100
    assert is_refused(send(b"{" + b" " * 200 + b"}"), 413)


@pytest.mark.parametrize("length", ["", "x", "-1"])
def test_odd_content_length_is_no_500(send, good, length):
    assert send(good, CONTENT_LENGTH=length).status_code < 500


# --- gzip --------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("name", ["gzip", "GZIP", " gzip ", "x-gzip"])
def test_gzip_is_read(mixpanel, people, members, name):
    raw = gzip.compress(json.dumps(page_body(["ann"])).encode())
    assert mixpanel.send(raw, HTTP_CONTENT_ENCODING=name).status_code == 200
    assert members() == {"ann"}


def test_gzip_is_read_in_the_partner_protocol_too(partner, people, members):
    body = partner.secrets | {"cohort_id": "c", "cohort_changes": [{"user_ids": ["ann"]}]}
    raw = gzip.compress(json.dumps(body).encode())
    assert partner.post(partner.path + "/users", raw, HTTP_CONTENT_ENCODING="gzip").status_code == 201
    assert members() == {"ann"}


def test_gzip_bomb_is_413_and_is_never_inflated(send, monkeypatch):
    inflated = []
    real = zlib.decompressobj

    class Watched:
        def __init__(self, **options):
            self.it = real(**options)

        def decompress(self, raw, bound=0):
            inflated.append(len(text := self.it.decompress(raw, bound)))
            return text

        def __getattr__(self, name):
            return getattr(self.it, name)

    monkeypatch.setattr(zlib, "decompressobj", Watched)
    bomb = gzip.compress(b" " * 200_000_000, 1)
    assert is_refused(send(bomb, HTTP_CONTENT_ENCODING="gzip"), 413)
    assert sum(inflated) <= 11 * 1024 * 1024


@pytest.mark.parametrize(
    "spoil",
    [
        lambda raw: raw[:-1],
        lambda raw: raw[:-9],
        lambda raw: raw[: len(raw) // 2],
        lambda raw: raw + raw,
        lambda raw: raw + b"x",
        lambda raw: b"not gzip at all",
        lambda raw: raw[:-8] + b"\x00" * 8,
        lambda raw: zlib.compress(b"{}"),
        lambda raw: b"",
    ],
    ids=["cut", "cut trailer", "half", "two", "garbage", "plain", "wrong checksum", "zlib", "empty"],
)
def test_gzip_that_is_not_one_whole_stream_is_400(mixpanel, spoil):
    raw = spoil(gzip.compress(json.dumps(page_body(["ann"])).encode()))
    assert is_refused(mixpanel.send(raw, HTTP_CONTENT_ENCODING="gzip"))


@pytest.mark.parametrize("name", ["br", "deflate", "gzip, gzip", "zstd", "é"])
def test_other_encoding_is_415(send, good, name):
    assert is_refused(send(good, HTTP_CONTENT_ENCODING=name), 415)


# --- JSON --------------------------------------------------------------------------------------------------
def test_good_body_is_good(send, good):
    assert send(good).status_code in {200, 201}


@pytest.mark.parametrize(
    "extra",
    [
        rb'"x": "\u0000"',
        rb'"x":"\u0000"',
        rb'"\u0000": 1',
        rb'"\u0000":1',
        rb'"x":["a\u0000b"]',
        b'"x": "a\x00b"',
        rb'"x": "\ud800"',
        rb'"x": "\udc00\ud800"',
        rb'"\ud83d": 1',
        b'"x": "\xed\xa0\x80"',
        b'"x": "\xff"',
        b'"x": "\xc0\xaf"',
        b'"x": NaN',
        b'"x": Infinity',
        b'"x": -Infinity',
        b'"x": 1e400',
        b'"x":1e400',
        b'"x":1e30',
        b'"x": 123456789012345678901234567890',
        b'"x": -99999999999999999999',
        b'"x": ' + b"9" * 5_000,
        b'"x": 1, "x": 1',
        b'"x":1,"x":1',
        b'"x": {"a": [{"b": 1, "b": 2}]}',
        rb'"x": 1, "\u0078": 2',
        b'"x": ":", "x": ""',
        b'"x" : 1, "x": 2',
        b'"x": ' + b"[" * 300 + b"]" * 300,
        b'"x": ' + b'{"a":' * 300 + b"1" + b"}" * 300,
        b'"x": ' + b"[" * 100_000 + b"]" * 100_000,
        b'"x": ' + b"[" * 100_000,
        b'"x": 01',
        b'"x": .5',
        b'"x": +1',
        b'"x": 0x1F',
        b"'x': 1",
        b"x: 1",
        b'"x": 1,',
        b'"x": /* comment */ 1',
        b'"x": "tab\there"',
    ],
)
def test_json_that_is_ambiguous_or_cannot_be_kept_is_400(send, good, extra):
    assert is_refused(send(good.replace(b"{%", b"{%" + extra + b",", 1)))


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b" ",
        b"{",
        b"\xef\xbb\xbf{}",
        b"\xff\xfe{\x00}\x00",
        b"{}{}",
        b"nul",
        b"[]",
        b'"text"',
        b"7",
        b"null",
        b"true",
    ],
)
def test_body_that_is_no_json_object_is_refused_and_no_500(send, raw):
    answer = send(raw)
    assert answer.status_code in {400, 401}
    assert answer.json()


def test_utf16_is_400(mixpanel):
    assert is_refused(mixpanel.send(json.dumps(page_body(["ann"])).encode("utf-16")))


@pytest.mark.parametrize(
    "text", ["ünï☃cödé 🎉", 'a\\b"c/d', "\x7f", "::::", "%s %(x)s {0}", "'; DROP TABLE x; --"]
)
def test_text_of_any_kind_is_an_id_like_any_other(mixpanel, workspace, members, text):
    person = ProfileFactory.create(external_id=text)
    for body in (page_body([text]), page_body([text], mixpanel_cohort_name=text)):
        for ascii_only in (True, False):
            raw = json.dumps(body, ensure_ascii=ascii_only).encode()
            assert mixpanel.send(raw).status_code == 200
            assert members() == {str(person.pk)}
    assert Cohort.objects.get().name == text


@pytest.mark.parametrize("space", ["", " ", "\n\t"])
def test_white_space_makes_no_difference(mixpanel, people, members, space):
    raw = json.dumps(page_body(["ann"]), separators=(f"{space},{space}", f"{space}:{space}")).encode()
    assert mixpanel.send(raw).status_code == 200
    assert members() == {"ann"}


def test_depth_that_is_allowed_passes(mixpanel, people, members):
    deep: list = []
    for _ in range(25):
        deep = [deep]
    assert mixpanel.page([{"mixpanel_distinct_id": "ann", "x": deep}]).status_code == 200
    assert members() == {"ann"}
