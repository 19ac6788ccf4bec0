"""What was set before a migration is still set after it, and after going back."""

from __future__ import annotations

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from profiles import mapping
from profiles.mapping import USUAL, Kind, Rule

BEFORE, AFTER = ("accounts", "0008_integrations_calls_and_allotments"), ("accounts", "0009_member_mapping")


def migrated(target):
    """Return the models as they were at a migration, after going there."""
    executor = MigrationExecutor(connection)
    executor.migrate([target])
    return MigrationExecutor(connection).loader.project_state([target]).apps


@pytest.fixture
def _up_again():
    yield
    executor = MigrationExecutor(connection)
    executor.migrate(executor.loader.graph.leaf_nodes())


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("_up_again")
@pytest.mark.parametrize(
    ("own", "rules"),
    [
        ("", USUAL),
        ("crm id", (Rule("crm id", Kind.EXTERNAL_ID), *USUAL)),
        ("user_id", (USUAL[4], *USUAL[:4], *USUAL[5:])),
    ],
)
def test_property_that_was_named_stays_the_first_to_be_tried(own, rules):
    before = migrated(BEFORE)
    workspace = before.get_model("accounts", "Workspace").objects.get(slug="default")
    old = before.get_model("accounts", "Integration")
    kept = old.objects.create(workspace_id=workspace.pk, partner="mixpanel", external_id_property=own)
    new = migrated(AFTER).get_model("accounts", "Integration").objects.get(pk=kept.pk)
    assert mapping.read(new.member_mapping) == rules
    back = migrated(BEFORE).get_model("accounts", "Integration").objects.get(pk=kept.pk)
    assert back.external_id_property == ("" if own == "user_id" else own)
