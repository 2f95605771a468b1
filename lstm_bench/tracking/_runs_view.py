"""The view of a sweep's runs in MLflow's page: a few columns, the best first, and curves first.

MLflow keeps a shared view as a tag of the experiment, deflated JSON, and opens it by its key. A
page that cannot read it shows its usual view.
"""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Sequence
from typing import Any

TAG = "mlflow.sharedViewState."
CURVES, RESULTS, SEEDS = "curve", "Model metrics", "by_seed"
"""The sections of charts, in their order; MLflow calls them so: by the prefix of the metrics."""


def view_key(run_id: str) -> str:
    """Returns the key of the view of a sweep's run. Several views can share an experiment."""
    return f"lstm-bench-{run_id[:8]}"


def runs_page(experiment: str, run_id: str) -> str:
    """Returns the part after `#` of the address of the page that shows a sweep's runs."""
    view = f"viewStateShareKey={view_key(run_id)}"
    return f"/experiments/{experiment}/runs?workflowType=machine_learning&{view}"


def view_tag(run_id: str, metrics: Sequence[str]) -> str:
    """Returns the value of the tag that holds the view of a sweep's run.

    Its recipes alone, with `metrics` as columns, sorted by the first; the charts are the learning
    curves, then these metrics, then the values by seed.
    """
    curves = [_chart("LINE", f"{CURVES}/{name}", CURVES) for name in ("accuracy", "loss")]
    state = {
        "searchFilter": f"tags.`mlflow.parentRunId` = '{run_id}'",
        "orderByKey": f"metrics.`{metrics[0]}`",
        "orderByAsc": False,
        "startTime": "ALL",
        "lifecycleFilter": "Active",
        "datasetsFilter": [],
        "modelVersionFilter": "All Runs",
        "selectedColumns": [f"metrics.`{name}`" for name in metrics],
        "columnOrder": [],
        "columnWidths": {},
        "runsExpanded": {},
        "runsPinned": [],
        "runsHidden": [],
        "runsVisibilityMap": {},
        "runsHiddenMode": "FIRST_10_RUNS",
        "viewMaximized": False,
        "runListHidden": False,
        "useGroupedValuesInCharts": True,
        "hideEmptyCharts": True,
        "groupBy": None,
        "groupsExpanded": {},
        "autoRefreshEnabled": True,
        "isAccordionReordered": True,
        "globalLineChartConfig": {
            "xAxisKey": "step",
            "lineSmoothness": 0,
            "selectedXAxisMetricKey": "",
        },
        "compareRunSections": [_section(name) for name in (CURVES, RESULTS, SEEDS)],
        "compareRunCharts": [*curves, *(_chart("BAR", name, RESULTS) for name in metrics)],
    }
    return "deflate;" + base64.b64encode(zlib.compress(json.dumps(state).encode())).decode()


def _section(name: str) -> dict[str, Any]:
    flags = {"display": True, "isReordered": True, "deleted": False, "isGenerated": True}
    return {"uuid": f"section-{name}", "name": name, **flags}


def _chart(kind: str, metric: str, section: str) -> dict[str, Any]:
    """Returns a chart of a metric over the first ten runs."""
    chart = {
        "uuid": f"chart-{metric}",
        "type": kind,
        "runsCountToCompare": 10,
        "metricSectionId": f"section-{section}",
        "deleted": False,
        "isGenerated": True,
        "metricKey": metric,
    }
    if kind == "BAR":
        return chart
    return chart | {
        "selectedMetricKeys": [metric],
        "scaleType": "linear",
        "xAxisKey": "step",
        "selectedXAxisMetricKey": "",
        "useGlobalXaxisKey": True,
        "useGlobalLineSmoothing": True,
        "range": {},
    }
