"""A file of events is read in blocks: whoever reads it is heard of, however odd the file."""

from __future__ import annotations

import gzip
import io
from itertools import pairwise

import orjson
import pytest

from profiles import event_lines
from profiles.event_lines import Block
from profiles.jobs import ImportFileError


def event(number: int) -> bytes:
    properties = {"time": 1769850000, "distinct_id": f"u{number}"}
    return orjson.dumps({"event": "e", "properties": properties}) + b"\n"


def blocks(content: bytes, **more: int) -> list[Block]:
    return list(event_lines.read(io.BytesIO(content), external_id_property="", **more))


def users(found: list[Block]) -> list[str]:
    return [event.keys[0] for block in found for event in block.events]


def test_line_without_an_end_is_one_fault_and_read_in_steps(monkeypatch):
    monkeypatch.setattr(event_lines, "BLOCK_BYTES", 100)
    content = event(1) + b"x" * 1_000 + b"\n" + event(2) + b"broken\n" + event(3)
    found = blocks(content)
    faults = [orjson.loads(fault) for block in found for fault in block.faults]
    assert users(found) == ["e:u1", "e:u2", "e:u3"]
    assert [fault["reason"].split(":")[0] for fault in faults] == ["line 2", "line 4"]
    ends = [block.end for block in found]
    assert (ends, ends[-1]) == (sorted(set(ends)), len(content))
    assert max(after - before for before, after in pairwise(ends)) <= 300


@pytest.mark.parametrize("end", ["", "\n"])
def test_every_block_of_any_file_can_be_the_last_before_a_break(monkeypatch, end):
    monkeypatch.setattr(event_lines, "BLOCK_BYTES", 100)
    content = b"".join(map(event, range(30))).rstrip() + end.encode()
    whole = users(blocks(content))
    assert len(whole) == 30
    for number, block in enumerate(blocks(content), 1):
        assert users(blocks(content)[:number]) + users(blocks(content, position=block.end)) == whole


def test_compressed_file_is_sought_in_steps_that_are_heard_of(monkeypatch):
    monkeypatch.setattr(event_lines, "STEP_BYTES", 100)
    content = b"".join(map(event, range(10)))
    position = len(content) - len(event(9))
    *steps, last = blocks(gzip.compress(content), position=position, line=9)
    assert [(step.end, step.lines, step.events) for step in steps] == [(position, 0, [])] * (position // 100)
    assert (users([last]), last.end) == (["e:u9"], len(content))


def test_compressed_file_that_is_broken_before_the_position_says_so():
    broken = gzip.compress(b"".join(map(event, range(1_000))))[:200]
    with pytest.raises(ImportFileError, match="no complete gzip file"):
        blocks(broken, position=50_000)
