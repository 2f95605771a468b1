"""Findings of a sweep: verdicts, comparisons, ablations, finalists and baselines."""

from lstm_bench.analysis._ablation import Ablation, Effect, plain_setting
from lstm_bench.analysis._baselines import BaselineResult, amount, headline, signed_amount
from lstm_bench.analysis._comparisons import Comparison, compare_outcomes
from lstm_bench.analysis._families import KEPT, Family
from lstm_bench.analysis._finalists import Confirmations, confirmations, simplest_recipe
from lstm_bench.analysis._findings import Findings, sweep_findings
from lstm_bench.analysis._history import is_stopped, objective, seeds_per_trial
from lstm_bench.analysis._intervals import IntervalResult, forecast_intervals
from lstm_bench.analysis._output_errors import OutputErrors
from lstm_bench.analysis._ranking import Ranking, percent_interval
from lstm_bench.analysis._reproduction import Reproduction, figures_by_chance
from lstm_bench.analysis._variance import SettingImportances, WinnerVariance

__all__ = [
    "KEPT",
    "Ablation",
    "BaselineResult",
    "Comparison",
    "Confirmations",
    "Effect",
    "Family",
    "Findings",
    "IntervalResult",
    "OutputErrors",
    "Ranking",
    "Reproduction",
    "SettingImportances",
    "WinnerVariance",
    "amount",
    "compare_outcomes",
    "confirmations",
    "figures_by_chance",
    "forecast_intervals",
    "headline",
    "is_stopped",
    "objective",
    "percent_interval",
    "plain_setting",
    "seeds_per_trial",
    "signed_amount",
    "simplest_recipe",
    "sweep_findings",
]
