"""Passwords of servers: MLflow's own server, in a process on this machine."""

import subprocess
import sys

import pytest
from store_servers import MlflowServer

SWEEP = "{task: memory, seeds: 2, epochs: 5, units: 3, recipes: {A: {}, B: {batch_size: 2}}}\n"
SECRET = "se@cretword"


@pytest.mark.slow
def test_no_password_of_a_server_is_written_or_printed(tmp_path):
    """Neither by us nor by MLflow, which prints the address of each run that it ends."""
    client, remote = tmp_path / "client", tmp_path / "server"
    client.mkdir()
    remote.mkdir()
    (client / "s.yaml").write_text(SWEEP)
    with MlflowServer(remote) as server:
        outputs = []
        for words in (["sweep", "s.yaml"], ["sweep", "s.yaml", "--json"], ["report"]):
            store = f"http://ann:{SECRET}@{server.host}"
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
