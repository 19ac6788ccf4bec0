"""How a page is asked whether its texts are whole, and its parts beside each other."""

from __future__ import annotations

# Boxes that are meant to scroll inside themselves, and what is cut off with an ellipsis, are no fault.
CLIPPED = """() => [...document.querySelectorAll("main :is(td, th, dt, dd, p, h2, h3, li, a, button, span)")]
  .filter((element) => element.getClientRects().length && getComputedStyle(element).display !== "inline")
  .filter((element) => !element.closest("thead, .rc-hidden") && getComputedStyle(element).textOverflow !== "ellipsis")
  .filter((element) => element.scrollWidth > element.clientWidth + 1)
  .map((element) => `${element.tagName}.${element.className}: ${element.textContent.trim().slice(0, 40)}`)
  .slice(0, 8)"""

# What covers what is above the list: nothing may, whatever the theme does with its toolbar.
COVERED = """() => {
  const toolbar = document.querySelector("#changelist div:has(> :is(#toolbar, .rc-filters))").getBoundingClientRect();
  return [...document.querySelectorAll("#changelist .rc-list-above")]
    .filter((element) => element.getBoundingClientRect().top < toolbar.bottom)
    .map((element) => element.textContent.trim().slice(0, 40));
}"""
