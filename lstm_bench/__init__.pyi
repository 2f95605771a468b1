from ._api import compare as compare
from ._api import export as export
from ._api import forecast as forecast
from ._api import load as load
from ._api import recipe as recipe
from ._api import run as run
from ._api import search as search
from ._api import sweep as sweep
from ._api import tasks as tasks
from .analysis import Comparison as Comparison
from .errors import DamagedError as DamagedError
from .errors import DataError as DataError
from .errors import Interrupted as Interrupted
from .errors import LstmBenchError as LstmBenchError
from .errors import RecipeError as RecipeError
from .errors import StoreError as StoreError
from .errors import SweepError as SweepError
from .errors import TaskError as TaskError
from .errors import UserError as UserError
from .recipes import Recipe as Recipe
from .report import SweepResult as SweepResult
from .results import Outcome as Outcome
from .tasks import Problem as Problem
from .tasks import Sequence as Sequence
from .tasks import Task as Task
from .tasks import task as task

__version__: str
