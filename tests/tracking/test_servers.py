"""Stores that are servers: MLflow's own server, in a process on this machine."""

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
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        return bound.getsockname()[1]


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
    """Neither by us nor by MLflow, which prints the address of each run that it ends."""
    client, remote = tmp_path / "client", tmp_path / "server"
    client.mkdir()
    remote.mkdir()
    (client / "s.yaml").write_text(SWEEP)
    with server(remote) as (_, host):
        outputs = []
        for words in (["sweep", "s.yaml"], ["sweep", "s.yaml", "--json"], ["report"]):
            store = f"http://ann:{SECRET}@{host}"
            done = subprocess.run(
                [sys.executable, "-m", "lstm_bench", *words, "--store", store],
                cwd=client, capture_output=True,
            )  # fmt: skip
            assert done.returncode == 0, done.stderr
            outputs += [done.stdout, done.stderr]
    assert (client / "reports" / "s" / "report.md").exists()
    files = [path for folder in (client, remote) for path in folder.rglob("*") if path.is_file()]
    parts = [part.encode() for part in (SECRET, "cretword", "ann:s")]
    leaks = [path for path in files if any(part in path.read_bytes() for part in parts)]
    # The server's log may name the user: only its owner can read it.
    assert [path for path in leaks if path.name != "server.log"] == []
    assert not any(part in text for text in outputs for part in parts)
