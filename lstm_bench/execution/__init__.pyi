from ._estimate import Estimate as Estimate
from ._progress import SweepProgress as SweepProgress
from ._sweep_run import estimate_sweep as estimate_sweep
from ._sweep_run import run_sweep as run_sweep
from ._workers import Job as Job
from ._workers import JobFailed as JobFailed
from ._workers import SeedFinished as SeedFinished
from ._workers import WorkerPool as WorkerPool
