"""Several writers at once on SQLite: they wait for one another, and nobody sees "database is locked"."""

from __future__ import annotations

import csv
import io
from functools import partial

import pytest
from django.db import connection

from tests.api.clients import page_body
from tests.reliability.clients import Sender, together
from tests.reliability.server import Server, run

PEOPLE = 400
pytestmark = pytest.mark.skipif(connection.vendor != "sqlite", reason="needs SQLite")


def test_writers_in_several_processes_wait_for_one_another(tmp_path):
    url = f"sqlite:///{tmp_path / 'db.sqlite3'}"
    profiles = tmp_path / "profiles.csv"
    profiles.write_text("external_id\n" + "".join(f"p{number}\n" for number in range(PEOPLE)))
    run(["migrate", "--verbosity", "0"], url)
    run(["import_profiles", str(profiles), "--workspace", "default"], url)
    secret = run(["create_data_import_key", "--workspace", "default", "--partner", "mixpanel"], url).strip()

    with Server(url) as server:
        sender = Sender(server.port, secret)

        def write(client: int) -> None:
            for page in range(25):
                who = [f"p{number}" for number in range(client, PEOPLE, 4)][page * 4 : page * 4 + 4]
                body = page_body(
                    who, action="add_members", session=f"s{client}", page=(page + 1, 25), cohort_id=client % 2
                )
                assert sender.once(body) == 200, "a writer was turned away"

        together(partial(write, client) for client in range(4))

    for cohort in (0, 1):
        printed = run(
            ["export_cohort", "--workspace", "default", "--partner", "mixpanel", "--cohort-id", str(cohort)],
            url,
        )
        exported = {row["external_id"] for row in csv.DictReader(io.StringIO(printed))}
        assert exported == {f"p{number}" for number in range(PEOPLE) if number % 2 == cohort}
