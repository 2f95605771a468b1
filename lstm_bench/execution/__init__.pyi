from ._estimate import Estimate as Estimate
from ._progress import SweepProgress as SweepProgress
from ._sweep_run import launch as launch
from ._sweep_run import weigh as weigh
from ._workers import Failure as Failure
from ._workers import Job as Job
from ._workers import Pool as Pool
from ._workers import Seed as Seed
