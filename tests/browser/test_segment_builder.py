"""Editing filters: undo, moves, copies and limits, by mouse and by keyboard."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect


@pytest.fixture
def three(builder):
    """A segment of three filters and a group, and how its filters are called by type."""
    builder.add_filter("Push token")
    builder.add_filter("Device")
    builder.add_filter("Gender")
    builder.page.keyboard.press("Escape")
    builder.button("Add group").click()
    assert builder.types == ["push_token", "device", "gender", "group"]
    return builder


def test_the_catalogue_is_searched_by_names_and_helps_and_left_by_escape(builder):
    builder.button("Add filter").click()
    expect(builder.catalogue.get_by_role("group", name="Reachability")).to_be_visible()
    builder.page.keyboard.type("midnight UTC")
    expect(builder.catalogue.get_by_role("option", name="Last seen")).to_be_visible()
    expect(builder.catalogue.get_by_role("option", name="Push token")).to_be_hidden()
    builder.page.keyboard.type(" of mars")
    expect(builder.catalogue.get_by_role("status")).to_contain_text("No filter is called that")
    builder.page.keyboard.press("Escape")
    expect(builder.button("Add filter")).to_be_focused()
    assert builder.types == []


def test_a_filter_can_become_another_one(builder):
    builder.add_filter("Push token")
    builder.filter("1").get_by_role("button", name="Choose another filter").click()
    builder.find_filter("email")
    assert builder.root["children"] == [{"type": "email", "operator": "is", "value": ""}]


def test_another_operator_keeps_the_value_that_it_can_take(builder):
    builder.add_filter("Email")
    builder.filter("1").get_by_label("Value").fill("ada")
    builder.ask("1", "contains")
    assert builder.root["children"][0]["value"] == "ada"
    builder.ask("1", "is one of")
    assert builder.root["children"][0]["value"] == ["ada"]
    builder.ask("1", "is blank")
    assert "value" not in builder.root["children"][0]


def test_a_pasted_column_becomes_one_value_per_row(builder):
    builder.add_filter("External ID")
    builder.ask("1", "is one of")
    builder.page.evaluate("navigator.clipboard.writeText('u-1\\nu-2\\n\\nu-3')")
    builder.values_of("1").focus()
    builder.page.keyboard.press("Control+v")
    assert builder.root["children"][0]["value"] == ["u-1", "u-2", "u-3"]


def test_edits_are_undone_and_redone_by_button_and_by_key(three):
    three.button("Remove Filter 1").click()
    three.button("Undo").click()
    assert three.types == ["push_token", "device", "gender", "group"]
    expect(three.page.locator(".sb-line [aria-live]")).to_have_text("Undone")
    three.filter("1").get_by_label("Operator").focus()
    three.page.keyboard.press("Control+Shift+z")
    assert three.types == ["device", "gender", "group"]
    three.page.keyboard.press("Control+z")
    three.page.keyboard.press("Control+y")
    assert three.types == ["device", "gender", "group"]
    assert three.page.evaluate("document.querySelector('.sb-root').contains(document.activeElement)")


def test_typing_is_one_edit_and_undone_as_a_whole(builder):
    builder.add_filter("Email")
    builder.filter("1").get_by_label("Value").press_sequentially("ada@", delay=20)
    builder.button("Undo").click()
    assert builder.root["children"] == [{"type": "email", "operator": "is", "value": ""}]
    builder.button("Undo").click()
    assert builder.types == []


def test_in_a_text_field_the_keys_undo_what_was_typed(builder):
    builder.add_filter("Email")
    builder.filter("1").get_by_label("Value").press_sequentially("ada")
    builder.page.keyboard.press("Control+z")
    assert builder.types == ["email"]
    expect(builder.filter("1").get_by_label("Value")).to_be_focused()


def test_arrow_keys_at_the_handle_move_within_into_and_out_of_groups(three):
    three.page.get_by_role("button", name="Move Filter 1:").focus()
    for key in ("ArrowDown", "ArrowDown"):
        three.page.keyboard.press(key)
    assert three.types == ["device", "gender", "push_token", "group"]
    expect(three.said).to_have_text("Moved. It is now: Filter 3: Push token")
    three.page.keyboard.press("ArrowRight")
    assert [child["type"] for child in three.root["children"][2]["children"]] == ["push_token"]
    three.page.keyboard.press("ArrowRight")
    expect(three.said).to_contain_text("cannot be moved any further")
    three.page.keyboard.press("ArrowLeft")
    assert three.types == ["device", "gender", "group", "push_token"]
    expect(three.page.get_by_role("button", name="Move Filter 4:")).to_be_focused()


def test_the_menu_moves_and_duplicates(three):
    three.from_menu("Filter 2", "Move up")
    assert three.types == ["device", "push_token", "gender", "group"]
    three.from_menu("Filter 3", "Move into the group below")
    three.from_menu("Filter 3.1", "Move out of this group")
    three.from_menu("Group 3", "Duplicate")
    assert three.types == ["device", "push_token", "group", "group", "gender"]
    expect(three.button("More for Group 4")).to_be_focused()


def test_the_menu_works_by_keyboard(three):
    three.button("More for Filter 1").focus()
    three.page.keyboard.press("ArrowDown")
    expect(three.page.get_by_role("menuitem", name="Duplicate")).to_be_focused()
    three.page.keyboard.press("Escape")
    expect(three.button("More for Filter 1")).to_be_focused()
    expect(three.page.get_by_role("menu")).to_be_hidden()


def test_filters_are_dragged_and_a_group_never_goes_into_itself(three):
    three.drag("Filter 3", three.filter("1"))
    assert three.types == ["gender", "push_token", "device", "group"]
    three.drag("Filter 1", three.group("4").get_by_role("button", name="Add filter"))
    assert [child["type"] for child in three.root["children"][2]["children"]] == ["gender"]
    three.drag("Group 3", three.filter("3.1"))
    assert three.types == ["push_token", "device", "group"]


def test_removing_leaves_the_focus_with_the_next_one(three):
    three.button("Remove Filter 2").click()
    expect(three.button("Remove Filter 2")).to_be_focused()
    expect(three.said).to_have_text("Removed: Filter 2: Device")


def test_a_full_segment_says_why_nothing_can_be_added(settings, builder):
    settings.MAX_SEGMENT_FILTERS = 1
    builder.open()
    builder.add_filter("Push token")
    expect(builder.button("Add filter")).to_have_attribute("aria-disabled", "true")
    expect(builder.page.get_by_text("A segment can have 1 filters at most.")).to_be_visible()
    builder.button("More for Filter 1").click()
    expect(builder.page.get_by_role("menuitem", name="Duplicate")).to_contain_text("at most")


def test_groups_nest_as_deep_as_is_allowed(settings, builder):
    settings.MAX_SEGMENT_DEPTH = 2
    builder.open()
    builder.button("Add group").click()
    inner = builder.group("1").get_by_role("button", name="Add group")
    expect(inner).to_have_attribute("aria-disabled", "true")
    expect(builder.group("1")).to_contain_text("Groups can be nested 2 levels deep at most.")
