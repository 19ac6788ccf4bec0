"""Every page of the admin, as people see it."""

from __future__ import annotations


def test_overview_loads(page, sign_in, administrator, axe_clean, no_overflow):
    sign_in(administrator)
    page.goto("/admin/")
    axe_clean(page)
    no_overflow(page)


def test_overview_loads_again(page, sign_in, administrator, axe_clean, no_overflow):
    sign_in(administrator)
    page.emulate_media(color_scheme="dark")
    page.goto("/admin/")
    assert page.evaluate("document.documentElement.classList.contains('dark')")
    axe_clean(page)
    no_overflow(page)
