"""Is what proposes a search's next trial installed?"""

import warnings
from typing import Any

from mercuric.errors import MercuricError


def load_optuna() -> Any:
    """Optuna, quiet.

    Raises:
        MercuricError: it is not installed.
    """
    try:
        import optuna
        import optuna.storages.journal
    except ImportError as error:
        raise MercuricError('the search needs Optuna; pip install "mercuric[search]"') from error
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    warnings.filterwarnings("ignore", category=optuna.exceptions.ExperimentalWarning)
    return optuna
