"""What do a sweep's charts call its combinations?"""

import numpy as np
import pandas as pd

from mercuric.studies.sweep.charts import label


def test_what_is_no_word_is_named() -> None:
    row = pd.Series({"dataflow": "row", "versions": 4, "mac_unit": np.bool_(False), "entries": None})
    assert label(row, list(row.index)) == "row, versions 4, mac_unit false, entries unlimited"
