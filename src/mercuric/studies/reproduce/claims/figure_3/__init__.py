"""Fig. 3: do signatures tell unique vectors apart better than a Bloom filter?"""

from collections.abc import Mapping
from pathlib import Path

from mercuric.page import formats
from mercuric.page.chart import Picture
from mercuric.studies.reproduce.found import Found, Number
from mercuric.studies.reproduce.pictures import lines, tabulated
from mercuric.studies.reproduce.studied import similarity_of

METHODS = ("RPQ", "Bloom filter")
TEN, SHORT, SETTLED, PAPER_BITS = 10, 4, 16, 20


def found(folders: Mapping[str, Path]) -> Found:
    """Unique vectors of ten, and of ten more from each, by signature length."""
    unique = similarity_of(folders).tables["unique"]
    rows = unique[(unique["vectors"] == "random")]
    rows = rows[rows["epsilon"] == rows["epsilon"].min()]
    table = rows.pivot_table(index="bits", columns="method", values="unique")
    settled = table[table.index >= SETTLED]
    apart = (settled - TEN).abs()
    numbers = {
        "short": Number(float((table.loc[SHORT, list(METHODS)] < TEN).all())),
        "long": Number(float((apart["RPQ"] < apart["Bloom filter"]).all())),
        "ten": Number(
            float(table.loc[PAPER_BITS, "RPQ"]), beside=f"mean of {int(rows['draws'].max())} draws"
        ),
    }
    series = {method: table[method].tolist() for method in METHODS}
    bits = [int(one) for one in table.index]
    return Found(
        numbers,
        f"At {PAPER_BITS} bits RPQ finds {table.loc[PAPER_BITS, 'RPQ']:.1f} of ten, a Bloom filter "
        f"{table.loc[PAPER_BITS, 'Bloom filter']:.1f}.",
        [("Vectors", "ten of ten normal elements, and ten more from each by adding 0.001 x N(0, 1); "
            "means over draws")],
        [
            Picture(
                "figure-3", "Unique vectors found", "Ten is right; a curve above it tells alike vectors "
                    "apart.",
                lines(bits, series, ("signature bits", "unique vectors")),
            )
        ],
        [tabulated("bits", [str(one) for one in bits], series, formats.count)],
    )  # fmt: skip
