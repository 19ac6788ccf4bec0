"""The builder of segments, in the words of those who use it."""

from __future__ import annotations

import json
import re
from typing import Any

from playwright.sync_api import Locator, Page, expect

ADD = "/admin/segments/segment/add/"
LIST = "/admin/segments/segment/"


class Builder:
    """A page with the builder. Filters and groups are called by their numbers, as in the page: "2.1"."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.total = page.locator(".sb-total")
        self.summary = page.locator(".sb-summary")
        self.said = page.locator(".sb-summary [aria-live=polite]")
        self.catalogue = page.get_by_role("dialog")

    def open(self, address: str = ADD) -> None:
        self.page.goto(address)
        self.is_counted()

    def name_it(self, name: str) -> None:
        self.page.get_by_label("Name").fill(name)

    def save(self) -> None:
        self.page.get_by_role("button", name="Save", exact=True).click()
        self.page.wait_for_url(f"**{LIST}")

    # --- what there is -------------------------------------------------------------------------------------
    def filter(self, number: str) -> Locator:
        return self.page.get_by_role("group", name=re.compile(rf"^Filter {re.escape(number)}:"))

    def group(self, number: str) -> Locator:
        return self.page.get_by_role("group", name=f"Group {number}", exact=True)

    def button(self, name: str) -> Locator:
        return self.page.get_by_role("button", name=name, exact=True)

    def values_of(self, number: str, name: str = "Values") -> Locator:
        return self.filter(number).get_by_role("combobox", name=name)

    @property
    def root(self) -> dict[str, Any]:
        """Return the outermost group as it would be saved now."""
        written: dict[str, Any] = json.loads(self.page.locator("input[name=definition]").input_value())
        return written["root"]  # type: ignore[no-any-return]

    @property
    def types(self) -> list[str]:
        """Return the types of the outermost group's children, in order."""
        return [child["type"] for child in self.root["children"]]

    # --- what one does -------------------------------------------------------------------------------------
    def add_filter(self, name: str, *, within: Locator | None = None) -> None:
        (within or self.page).get_by_role("button", name="Add filter").last.click()
        self.find_filter(name)

    def find_filter(self, name: str) -> None:
        self.catalogue.get_by_role("combobox").fill(name)
        self.page.keyboard.press("Enter")
        expect(self.catalogue).to_be_hidden()

    def choose(self, *names: str) -> None:
        for name in names:
            self.page.get_by_role("option", name=name).click()
        self.page.keyboard.press("Escape")

    def ask(self, number: str, operator: str) -> None:
        self.filter(number).get_by_label("Operator").select_option(label=operator)

    def from_menu(self, of: str, item: str) -> None:
        self.button(f"More for {of}").click()
        self.page.get_by_role("menuitem", name=item).click()

    def drag(self, what: str, to: Locator) -> None:
        """Drag a filter or a group above what is there."""
        self.page.get_by_role("button", name=f"Move {what}:").hover()
        self.page.mouse.down()
        box = to.bounding_box()
        assert box
        self.page.mouse.move(box["x"] + 60, box["y"] - 20, steps=4)
        self.page.mouse.move(box["x"] + 60, box["y"] + 4, steps=4)
        self.page.mouse.up()

    def tab_to(self, name: str) -> None:
        """Walk by Tab to what is called so, or ends with that."""
        for _ in range(40):
            self.page.keyboard.press("Tab")
            if self.page.evaluate(FOCUSED).endswith(name):
                return
        raise AssertionError(f"no Tab leads to “{name}”")

    # --- what it then says ---------------------------------------------------------------------------------
    def is_counted(self, total: str | None = None) -> None:
        if total is not None:
            expect(self.total).to_have_text(total)
        self.is_in_state("exact")

    def is_in_state(self, state: str) -> None:
        expect(self.summary).to_have_attribute("data-state", state)

    def counts(self, number: str, own: str, left: str | None = None) -> None:
        of = self.filter(number)
        expect(of.locator(".sb-count")).to_contain_text(f"{own} users match")
        if left is None:
            expect(of.locator(".sb-after")).to_have_count(0)
        else:
            expect(of.locator(".sb-after")).to_contain_text(f"→ {left} left")


FOCUSED = """() => {
  const element = document.activeElement;
  return (element.getAttribute("aria-label") ?? element.labels?.[0]?.textContent ?? element.textContent).trim();
}"""
