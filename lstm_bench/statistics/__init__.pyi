from ._estimates import (
    EDGE as EDGE,
)
from ._estimates import (
    RELIABLE as RELIABLE,
)
from ._estimates import (
    SURE as SURE,
)
from ._estimates import (
    Mean as Mean,
)
from ._estimates import (
    Rate as Rate,
)
from ._estimates import (
    mean_interval as mean_interval,
)
from ._estimates import (
    median_epochs as median_epochs,
)
from ._estimates import (
    solve_rate as solve_rate,
)
from ._memory_span import MemorySpan as MemorySpan
from ._memory_span import memory_span as memory_span
from ._metrics import (
    METRICS as METRICS,
)
from ._metrics import (
    Kind as Kind,
)
from ._metrics import (
    accuracy as accuracy,
)
from ._metrics import (
    compute_metrics as compute_metrics,
)
from ._metrics import (
    is_correct as is_correct,
)
from ._metrics import (
    predicted_answers as predicted_answers,
)
from ._metrics import (
    select_metrics as select_metrics,
)
from ._metrics import (
    sequence_accuracy as sequence_accuracy,
)
from ._metrics import (
    solved_epoch as solved_epoch,
)
from ._paired import (
    ALPHA as ALPHA,
)
from ._paired import (
    MARGIN as MARGIN,
)
from ._paired import (
    MOST_SEEDS as MOST_SEEDS,
)
from ._paired import (
    Comparison as Comparison,
)
from ._paired import (
    Difference as Difference,
)
from ._paired import (
    DifferenceWord as DifferenceWord,
)
from ._paired import (
    Measure as Measure,
)
from ._paired import (
    difference_word as difference_word,
)
from ._paired import (
    holm as holm,
)
from ._paired import (
    paired_mean_difference as paired_mean_difference,
)
from ._paired import (
    paired_rate_difference as paired_rate_difference,
)
from ._paired import (
    seeds_needed as seeds_needed,
)
from ._paired import (
    within_margin as within_margin,
)
from ._reproduction import (
    ENOUGH as ENOUGH,
)
from ._reproduction import (
    TOLERANCE as TOLERANCE,
)
from ._reproduction import (
    Claim as Claim,
)
from ._reproduction import (
    Spread as Spread,
)
from ._reproduction import (
    Verdict as Verdict,
)
from ._reproduction import (
    spread as spread,
)
from ._reproduction import (
    verdict as verdict,
)
from ._skill import (
    BASELINE_PREFIX as BASELINE_PREFIX,
)
from ._skill import (
    STRETCHES as STRETCHES,
)
from ._skill import (
    WORST as WORST,
)
from ._skill import (
    BaselineComparison as BaselineComparison,
)
from ._skill import (
    SkillWord as SkillWord,
)
from ._skill import (
    absolute_errors as absolute_errors,
)
from ._skill import (
    baseline_names as baseline_names,
)
from ._skill import (
    best_baseline as best_baseline,
)
from ._skill import (
    compare_with_baseline as compare_with_baseline,
)
from ._skill import (
    skill_score as skill_score,
)
from ._survival import epochs_difference as epochs_difference
from ._unpaired import (
    unpaired_mean_difference as unpaired_mean_difference,
)
from ._unpaired import (
    unpaired_rate_difference as unpaired_rate_difference,
)
from ._variance_components import (
    seed_variance_share as seed_variance_share,
)
from ._variance_components import (
    variance_split as variance_split,
)
