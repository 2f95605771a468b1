"""Stores that are servers: MLflow's own, in a process of its own on this machine."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request

import pytest

SWEEP = "{task: memory, seeds: 2, epochs: 5, units: 3, recipes: {A: {}, B: {batch_size: 2}}}\n"
SECRET = "se@cretword"


def free_port():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


@contextlib.contextmanager
def server(folder):
    """Runs MLflow's server with its files in `folder`; yields its process and its host and port."""
    port = free_port()
    words = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port)]
    words += ["--backend-store-uri", "sqlite:///runs.db", "--artifacts-destination", "./files"]
    env = {"MLFLOW_DISABLE_TELEMETRY": "true", "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
    with (folder / "server.log").open("wb") as log:
        process = subprocess.Popen(
            words, cwd=folder, env={**os.environ, **env}, stdout=log, stderr=log,
            start_new_session=True,
        )  # fmt: skip
    try:
        deadline = time.monotonic() + 120
        while True:
            with contextlib.suppress(OSError, urllib.error.URLError):
                urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=2).close()
                break
            assert process.poll() is None and time.monotonic() < deadline
            time.sleep(0.5)
        yield process, f"127.0.0.1:{port}"
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@pytest.mark.slow
def test_no_password_of_a_server_is_written_or_printed(tmp_path):
    """Not by us, and not by MLflow, which prints the address of each run it ends."""
    here, there = tmp_path / "here", tmp_path / "there"
    here.mkdir()
    there.mkdir()
    (here / "s.yaml").write_text(SWEEP)
    with server(there) as (_, host):
        said = []
        for words in (["sweep", "s.yaml"], ["sweep", "s.yaml", "--json"], ["report"]):
            store = f"http://ann:{SECRET}@{host}"
            done = subprocess.run(
                [sys.executable, "-m", "lstm_bench", *words, "--store", store],
                cwd=here, capture_output=True,
            )  # fmt: skip
            assert done.returncode == 0, done.stderr
            said += [done.stdout, done.stderr]
    assert (here / "reports" / "s" / "report.md").exists()
    files = [path for folder in (here, there) for path in folder.rglob("*") if path.is_file()]
    parts = [part.encode() for part in (SECRET, "cretword", "ann:s")]
    told = [path for path in files if any(part in path.read_bytes() for part in parts)]
    # The server's own log is its owner's: it knows who asked.
    assert [path for path in told if path.name != "server.log"] == []
    assert not any(part in text for text in said for part in parts)
