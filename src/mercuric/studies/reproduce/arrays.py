"""How much energy do layers take on arrays that differ in their dataflow alone?"""

from pathlib import Path

import pandas as pd

ROW, WEIGHT, OUTPUT = "eyeriss-like", "simple-weight-stationary", "simple-output-stationary"
SETTING = [("Arrays", f"{ROW}, {WEIGHT} and {OUTPUT}; forward, dense, fair timing")]


def energies(folder: Path, batch: int) -> pd.DataFrame:
    """A layer a row: the energy on each array, in multiply-accumulates'."""
    layers = pd.read_csv(folder / "layers.csv", dtype={"layer": str})
    rows = layers[
        (layers["batch"] == batch) & (layers["timing"] == "fair") & (layers["design"] == "baseline")
    ]
    return rows.pivot_table(index="layer", columns="accelerator", values="energy", sort=False)


def most_weights(folder: Path) -> str:
    """The fully connected layer with most weights: each is one multiply-accumulate of an image."""
    layers = pd.read_csv(folder / "layers.csv", dtype={"layer": str})
    rows = layers[(layers["batch"] == 1) & (layers["kind"] != "conv")]
    return str(rows["layer"].iloc[int(rows["macs"].to_numpy().argmax())])
