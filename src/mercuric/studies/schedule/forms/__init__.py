"""Which ways to finish sooner are there?"""

from mercuric.studies.schedule.forms.cuttlefish import Cuttlefish
from mercuric.studies.schedule.forms.dense import Dense
from mercuric.studies.schedule.forms.exact import Exact
from mercuric.studies.schedule.forms.factorize import Factorize
from mercuric.studies.schedule.forms.form import Form
from mercuric.studies.schedule.forms.infobatch import InfoBatch
from mercuric.studies.schedule.forms.mercury import PAPER, PATCHES
from mercuric.studies.schedule.forms.narrow import Narrow
from mercuric.studies.schedule.forms.principal import Principal
from mercuric.studies.schedule.forms.pufferfish import Pufferfish
from mercuric.studies.schedule.forms.random import Random
from mercuric.studies.schedule.forms.resizing import Resizing
from mercuric.studies.schedule.forms.trained import Trained

DENSE = Dense.name
FORMS: dict[str, Form] = {
    form.name: form
    for form in (
        Dense(), Narrow(), Principal(), Random(), Trained(), Factorize(), Pufferfish(), Cuttlefish(),
        Resizing(), InfoBatch(), PATCHES, PAPER, Exact(),
    )
}  # fmt: skip
"""By name; one more is a file of this folder and an entry here."""
