from ._estimates import (
    EDGE as EDGE,
    RELIABLE as RELIABLE,
    SURE as SURE,
    Mean as Mean,
    Rate as Rate,
    mean_interval as mean_interval,
    median_epochs as median_epochs,
    solve_rate as solve_rate,
)
from ._memory_span import Horizon as Horizon, horizon as horizon
from ._metrics import (
    METRICS as METRICS,
    Kind as Kind,
    accuracy as accuracy,
    answers as answers,
    chosen as chosen,
    correct as correct,
    measures as measures,
    sequence_accuracy as sequence_accuracy,
    solved_epoch as solved_epoch,
)
from ._paired import (
    ALPHA as ALPHA,
    MARGIN as MARGIN,
    MOST_SEEDS as MOST_SEEDS,
    Comparison as Comparison,
    Difference as Difference,
    DifferenceWord as DifferenceWord,
    Measure as Measure,
    difference_word as difference_word,
    holm as holm,
    more_seeds as more_seeds,
    paired_mean_difference as paired_mean_difference,
    paired_rate_difference as paired_rate_difference,
    within_margin as within_margin,
)
from ._reproduction import (
    ENOUGH as ENOUGH,
    TOLERANCE as TOLERANCE,
    Claim as Claim,
    Spread as Spread,
    Verdict as Verdict,
    spread as spread,
    verdict as verdict,
)
from ._skill import (
    NAIVE as NAIVE,
    STRETCHES as STRETCHES,
    WORST as WORST,
    Against as Against,
    SkillWord as SkillWord,
    absolute_errors as absolute_errors,
    best_naive as best_naive,
    compare_with_baseline as compare_with_baseline,
    naive_answers as naive_answers,
    skill_score as skill_score,
)
from ._survival import epochs_difference as epochs_difference
from ._unpaired import (
    unpaired_mean_difference as unpaired_mean_difference,
    unpaired_rate_difference as unpaired_rate_difference,
)
from ._variance_components import (
    seed_variance_share as seed_variance_share,
    variance_split as variance_split,
)
