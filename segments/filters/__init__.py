"""A segment's definition: JSON in, a tree of groups and filters out, and the sentence that says what it means.

    {"version": 2, "root": {"type": "group", "operator": "and", "exclude": false, "children": [
        {"type": "cohort", "subject": "mixpanel", "operator": "includes", "value": [7]},
        {"type": "country", "operator": "is_one_of", "value": ["FR"]}]}}

Pure: nothing here asks the database. Faults carry the JSON pointer of the node they stand at. Each filter is a `Kind`
in one of the modules that `catalogue.py` lists; a new one touches its module only.
"""

from segments.filters.describing import describe
from segments.filters.kinds import Filter, Kind, Known, There
from segments.filters.parsing import VERSION, dump, parse
from segments.filters.tree import Fault, FilterError, Group, Join, Node, faults, filters_of, is_finished, walk
from segments.filters.values import Names

__all__ = [
    "VERSION",
    "Fault",
    "Filter",
    "FilterError",
    "Group",
    "Join",
    "Kind",
    "Known",
    "Names",
    "Node",
    "There",
    "describe",
    "dump",
    "faults",
    "filters_of",
    "is_finished",
    "parse",
    "walk",
]
