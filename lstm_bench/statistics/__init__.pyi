from ._comparison_question import (
    DEFAULT_MARGIN as DEFAULT_MARGIN,
)
from ._comparison_question import (
    ComparisonQuestion as ComparisonQuestion,
)
from ._comparison_question import (
    Measure as Measure,
)
from ._comparison_question import (
    margin_fault as margin_fault,
)
from ._conformal import (
    LEVELS as LEVELS,
)
from ._conformal import (
    Coverage as Coverage,
)
from ._conformal import (
    conformal_half_width as conformal_half_width,
)
from ._conformal import (
    measured_coverage as measured_coverage,
)
from ._estimates import (
    NEAR_BOUND as NEAR_BOUND,
)
from ._estimates import (
    NEAR_BOUND_SEEDS as NEAR_BOUND_SEEDS,
)
from ._estimates import (
    RELIABLE_RATE as RELIABLE_RATE,
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
from ._explained_variance import (
    explained_variances as explained_variances,
)
from ._explained_variance import (
    value_groups as value_groups,
)
from ._looks import (
    FIRST_LEVEL as FIRST_LEVEL,
)
from ._looks import (
    look_level as look_level,
)
from ._looks import (
    next_level as next_level,
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
    decode_outputs as decode_outputs,
)
from ._metrics import (
    is_correct as is_correct,
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
from ._multiplicity import holm_chains as holm_chains
from ._multiplicity import holm_correction as holm_correction
from ._paired import (
    ALPHA as ALPHA,
)
from ._paired import (
    MAX_ADDITIONAL_SEEDS as MAX_ADDITIONAL_SEEDS,
)
from ._paired import (
    Difference as Difference,
)
from ._paired import (
    DifferenceVerdict as DifferenceVerdict,
)
from ._paired import (
    difference_verdict as difference_verdict,
)
from ._paired import (
    fewest_to_be_real as fewest_to_be_real,
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
    seeds_needed_range as seeds_needed_range,
)
from ._paired import (
    verdict_proviso as verdict_proviso,
)
from ._paired import (
    within_margin as within_margin,
)
from ._published_trials import (
    MIN_SUCCESSES as MIN_SUCCESSES,
)
from ._published_trials import (
    RATE_MARGIN as RATE_MARGIN,
)
from ._published_trials import (
    RATIO_MARGIN as RATIO_MARGIN,
)
from ._published_trials import (
    SequencesRatio as SequencesRatio,
)
from ._published_trials import (
    SuccessDifference as SuccessDifference,
)
from ._published_trials import (
    few_successes_verdict as few_successes_verdict,
)
from ._published_trials import (
    sequences_ratio as sequences_ratio,
)
from ._published_trials import (
    sequences_verdict as sequences_verdict,
)
from ._published_trials import (
    success_difference as success_difference,
)
from ._published_trials import (
    success_verdict as success_verdict,
)
from ._ranking import (
    Bootstrapped as Bootstrapped,
)
from ._ranking import (
    critical_difference as critical_difference,
)
from ._ranking import (
    fewest_tasks as fewest_tasks,
)
from ._ranking import (
    friedman_test as friedman_test,
)
from ._ranking import (
    improvement_intervals as improvement_intervals,
)
from ._ranking import (
    interquartile_mean_interval as interquartile_mean_interval,
)
from ._ranking import (
    performance_profile as performance_profile,
)
from ._ranking import (
    profile_band as profile_band,
)
from ._ranking import (
    task_ranks as task_ranks,
)
from ._reproduction import (
    MIN_VERDICT_SEEDS as MIN_VERDICT_SEEDS,
)
from ._reproduction import (
    REJECTION_LEVEL as REJECTION_LEVEL,
)
from ._reproduction import (
    Claim as Claim,
)
from ._reproduction import (
    FigureRank as FigureRank,
)
from ._reproduction import (
    Verdict as Verdict,
)
from ._reproduction import (
    chance_of_as_many as chance_of_as_many,
)
from ._reproduction import (
    figure_rank as figure_rank,
)
from ._reproduction import (
    printed_tolerance as printed_tolerance,
)
from ._reproduction import (
    reproduction_verdict as reproduction_verdict,
)
from ._skill import (
    BASELINE_PREFIX as BASELINE_PREFIX,
)
from ._skill import (
    ORIGIN as ORIGIN,
)
from ._skill import (
    OUTPUT as OUTPUT,
)
from ._skill import (
    OUTPUT_UNIT as OUTPUT_UNIT,
)
from ._skill import (
    WORST_SKILL as WORST_SKILL,
)
from ._skill import (
    BaselineComparison as BaselineComparison,
)
from ._skill import (
    SkillVerdict as SkillVerdict,
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
    skill_by_step as skill_by_step,
)
from ._skill import (
    skill_score as skill_score,
)
from ._stretch import (
    MAX_BLOCKS as MAX_BLOCKS,
)
from ._stretch import (
    StretchMean as StretchMean,
)
from ._stretch import (
    mean_over_steps as mean_over_steps,
)
from ._stretch import (
    positive_rate as positive_rate,
)
from ._stretch import (
    stretch_mean as stretch_mean,
)
from ._survival import epochs_difference as epochs_difference
from ._unpaired import (
    unpaired_mean_difference as unpaired_mean_difference,
)
from ._unpaired import (
    unpaired_rate_difference as unpaired_rate_difference,
)
from ._variance_components import (
    fraction_intervals as fraction_intervals,
)
from ._variance_components import (
    seed_fraction_interval as seed_fraction_interval,
)
from ._variance_components import (
    seed_variance_fraction as seed_variance_fraction,
)
from ._variance_components import (
    variance_components as variance_components,
)
from ._winner import (
    rate_p_value as rate_p_value,
)
from ._winner import (
    winner_score as winner_score,
)
