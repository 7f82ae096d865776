"""Which simulators get workloads from here?"""

from mercuric.accelerator.exports.accelforge import ACCELFORGE
from mercuric.accelerator.exports.form import Form
from mercuric.accelerator.exports.scalesim import SCALESIM
from mercuric.accelerator.exports.stonne import STONNE
from mercuric.accelerator.exports.timeloop import TIMELOOP
from mercuric.accelerator.exports.zigzag import ZIGZAG
from mercuric.errors import ArgumentError

FORMS = {form.name: form for form in (SCALESIM, ZIGZAG, ACCELFORGE, TIMELOOP, STONNE)}


def form_of(name: str) -> Form:
    """The form that ``--to`` names.

    Raises:
        ValueError: there is none.
    """
    if name not in FORMS:
        raise ArgumentError(f"to was {name!r}, but must be one of {', '.join(FORMS)}")
    return FORMS[name]
