"""Do several processes write one table, which one line reads?"""

from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import pandas as pd

from mercuric.files.dataset import write_part
from mercuric.files.writing import _TEMPORARY, remove_abandoned, replacing


def write_ten(folder: Path, process: int) -> None:
    for number in range(10):
        table = pd.DataFrame({"process": [process], "number": [number]})
        write_part(table, folder / f"{process}-{number}.parquet")
        write_part(table, folder / "same.parquet")


def test_processes_that_write_at_once_leave_one_table(tmp_path: Path) -> None:
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        for written in [pool.submit(write_ten, tmp_path, process) for process in range(2)]:
            written.result()
    table = pd.read_parquet(tmp_path)
    assert len(table) == 21 and table.drop_duplicates().shape == (20, 2)


def test_files_without_values_fit_the_others(tmp_path: Path) -> None:
    """The first file says of which types the table is."""
    write_part(pd.DataFrame({"entries": [None], "by": [None]}), tmp_path / "a.parquet", ["by"])
    write_part(pd.DataFrame({"entries": [64], "by": ["batch"]}), tmp_path / "b.parquet", ["by"])
    table = pd.read_parquet(tmp_path)
    assert table["entries"].isna().tolist() == [True, False] and table["entries"][1] == 64
    assert table["by"][1] == "batch"


def test_half_a_file_is_no_part_of_the_table_and_other_hosts_are_left_alone(tmp_path: Path) -> None:
    write_part(pd.DataFrame({"number": [1]}), tmp_path / "a.parquet")
    with replacing(tmp_path / "b.parquet") as half:
        half.write_bytes(b"PAR1")
        name = half.name
        assert pd.read_parquet(tmp_path)["number"].tolist() == [1]
        half.write_bytes((tmp_path / "a.parquet").read_bytes())
    assert _TEMPORARY.fullmatch(name)
    theirs = tmp_path / f".c.parquet.{'0' * 16}.mercuric.tmp"
    ours = tmp_path / name
    for path in (theirs, ours):
        path.touch()
    remove_abandoned(tmp_path)
    assert theirs.exists() and not ours.exists()
