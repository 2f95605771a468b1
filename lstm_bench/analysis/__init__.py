"""What the rows of a sweep say: verdicts, comparisons, ablations, finalists and baselines."""

from lstm_bench.analysis._ablation import Ablation, Effect, plain_setting
from lstm_bench.analysis._baselines import (
    BaselineResult,
    amount,
    baselines_document,
    headline,
    signed_amount,
)
from lstm_bench.analysis._facts import ReportFacts, report_facts
from lstm_bench.analysis._finalists import Confirmations, confirmations, simplest
from lstm_bench.analysis._findings import (
    ComparisonResult,
    Family,
    ReproductionResult,
    comparisons_document,
    words_of,
)
from lstm_bench.analysis._history import asked, bounds, is_stopped, objective, score, scores
from lstm_bench.analysis._search import search_document, search_findings
from lstm_bench.analysis._variance import Importance, Split

__all__ = [
    "Ablation",
    "BaselineResult",
    "ComparisonResult",
    "Confirmations",
    "Effect",
    "Family",
    "Importance",
    "ReportFacts",
    "ReproductionResult",
    "Split",
    "amount",
    "asked",
    "baselines_document",
    "bounds",
    "comparisons_document",
    "confirmations",
    "headline",
    "is_stopped",
    "objective",
    "plain_setting",
    "report_facts",
    "score",
    "scores",
    "search_document",
    "search_findings",
    "signed_amount",
    "simplest",
    "words_of",
]
