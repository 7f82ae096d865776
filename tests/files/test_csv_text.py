"""Does every row's every name come back from CSV?"""

import csv

from mercuric.files.csv_text import csv_text


def test_rows_of_several_kinds_are_read_back() -> None:
    rows = [{"layer": "a, b", "cycles": 3}, {"layer": 'say "c"', "macs": 5}]
    assert list(csv.DictReader(csv_text(rows).splitlines())) == [
        {"layer": "a, b", "cycles": "3", "macs": ""},
        {"layer": 'say "c"', "cycles": "", "macs": "5"},
    ]
    assert csv_text([{"layer": "a"}]) == "layer\na\n"
