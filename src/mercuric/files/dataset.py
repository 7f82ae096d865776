"""How do several processes, on several hosts, write the rows of one table?

A Parquet dataset: a folder of files, each written whole or not at all, which ``pandas.read_parquet(FOLDER)``
reads as one table.
"""

from collections.abc import Collection
from pathlib import Path

import pandas as pd

from mercuric.extras import needed_for
from mercuric.files.writing import replacing

PARTS = "parts"
"""The dataset's name in a run's folder."""


def write_part(table: pd.DataFrame, path: Path, texts: Collection[str] = ()) -> None:
    """Write rows as one file of a dataset.

    A column without values is written as numbers, so that files of a dataset fit each other.

    Args:
        table: rows, without their index.
        path: of the file, in the dataset's folder; its name must be of these rows alone.
        texts: columns that are texts where they have values.

    Raises:
        MissingPackage: PyArrow is not installed.
        OSError: the file can't be written.
    """
    with needed_for("Parquet"):
        import pyarrow as pa
        import pyarrow.parquet as pq
    typed = pa.Table.from_pandas(table, preserve_index=False)
    for place, field in enumerate(typed.schema):
        if pa.types.is_null(field.type):
            kind = pa.string() if field.name in texts else pa.float64()
            typed = typed.set_column(place, pa.field(field.name, kind), typed.column(place).cast(kind))
    with replacing(path) as temporary:
        pq.write_table(typed, temporary)
