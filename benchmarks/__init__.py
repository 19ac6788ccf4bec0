"""Measures what the documentation claims. Run by `make bench`; never by the tests."""
