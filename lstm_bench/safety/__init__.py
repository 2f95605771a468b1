"""Text and files that may come from strangers, read and written so that they do no harm."""

from lstm_bench.safety._addresses import masked, masked_text
from lstm_bench.safety._csv import as_csv
from lstm_bench.safety._markdown import escaped
from lstm_bench.safety._names import path_component
from lstm_bench.safety._pydantic import pydantic_faults, rule_of
from lstm_bench.safety._temporary import (
    folder_in,
    process_folder,
    remove_abandoned,
    reported,
    socket_folder,
    temporary_folder,
)
from lstm_bench.safety._terminal import REPLACED, say, screen, shell_line, visible
from lstm_bench.safety._yaml import check_yaml, read_yaml

__all__ = [
    "REPLACED",
    "as_csv",
    "check_yaml",
    "escaped",
    "folder_in",
    "masked",
    "masked_text",
    "path_component",
    "process_folder",
    "pydantic_faults",
    "read_yaml",
    "remove_abandoned",
    "reported",
    "rule_of",
    "say",
    "screen",
    "shell_line",
    "socket_folder",
    "temporary_folder",
    "visible",
]
