"""Reading and writing of untrusted text and files so that they can do no harm."""

from lstm_bench.safety._addresses import mask_address, mask_passwords
from lstm_bench.safety._arguments import (
    WholeNumber,
    check_flag,
    check_path,
    check_text,
    checked_count,
)
from lstm_bench.safety._csv import as_csv
from lstm_bench.safety._html import html_table
from lstm_bench.safety._links import checked_link
from lstm_bench.safety._markdown import escape_markdown
from lstm_bench.safety._names import path_component, report_folder_name, split_report_name
from lstm_bench.safety._printable import printable_line, printable_text, replace_controls
from lstm_bench.safety._pydantic import broken_rule, pydantic_faults, shown_value
from lstm_bench.safety._temporary import (
    disk_errors_reported,
    process_folder,
    remove_abandoned_folders,
    socket_folder,
    temporary_folder,
    temporary_folder_in,
)
from lstm_bench.safety._terminal import print_plain, print_wrapped, shell_line, terminal_console
from lstm_bench.safety._yaml import check_yaml, read_yaml

__all__ = [
    "WholeNumber",
    "as_csv",
    "broken_rule",
    "check_flag",
    "check_path",
    "check_text",
    "check_yaml",
    "checked_count",
    "checked_link",
    "disk_errors_reported",
    "escape_markdown",
    "html_table",
    "mask_address",
    "mask_passwords",
    "path_component",
    "print_plain",
    "print_wrapped",
    "printable_line",
    "printable_text",
    "process_folder",
    "pydantic_faults",
    "read_yaml",
    "remove_abandoned_folders",
    "replace_controls",
    "report_folder_name",
    "shell_line",
    "shown_value",
    "socket_folder",
    "split_report_name",
    "temporary_folder",
    "temporary_folder_in",
    "terminal_console",
]
