"""Real servers that keep runs: PostgreSQL and MLflow's own, as processes of this machine."""

import contextlib
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

PASSWORD = "se@cretword"


def postgresql_program(name):
    """Returns the path of a program of PostgreSQL, also where Debian has it; None without it."""
    places = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    return shutil.which(name) or (str(places[-1]) if places else None)


def free_port():
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        return bound.getsockname()[1]


def ordinary_user():
    """Returns the name of a user that may run PostgreSQL, which root may not; None for oneself."""
    if os.getuid():
        return None
    known = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in known else "nobody"


class PostgreSQL:
    """A PostgreSQL server on the loopback interface, with an empty database `runs`."""

    def __init__(self):
        self.port, self.user, self.process = free_port(), ordinary_user(), None
        self.folder = Path(tempfile.mkdtemp(prefix="lstm-bench-pg-", dir="/tmp"))
        self.data = self.folder / "data"

    @property
    def address(self):
        quoted = urllib.parse.quote(PASSWORD, safe="")
        return f"postgresql://ann:{quoted}@127.0.0.1:{self.port}/runs"

    def __enter__(self):
        if self.user:
            shutil.chown(self.folder, self.user)
        secret = self.folder / "password"
        secret.write_text(PASSWORD)
        secret.chmod(0o644)
        words = ["-D", str(self.data), "-U", "ann", "-A", "scram-sha-256", "-E", "UTF8"]
        subprocess.run(
            [postgresql_program("initdb"), *words, "--no-sync", f"--pwfile={secret}"],
            user=self.user, cwd=self.folder, check=True, capture_output=True,
        )  # fmt: skip
        self.start()
        with contextlib.closing(self.connect("postgres")) as connection:
            connection.autocommit = True
            connection.execute("create database runs")
        return self

    def __exit__(self, *_):
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def connect(self, database="runs"):
        import psycopg

        return psycopg.connect(
            host="127.0.0.1", port=self.port, user="ann", password=PASSWORD, dbname=database
        )

    def start(self):
        words = ["-D", str(self.data), "-p", str(self.port), "-h", "127.0.0.1", "-k", "", "-F"]
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [postgresql_program("postgres"), *words], user=self.user, cwd=self.folder,
                stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip
        import psycopg

        deadline = time.monotonic() + 60
        while True:
            with contextlib.suppress(psycopg.OperationalError):
                self.connect("postgres").close()
                return
            assert self.process.poll() is None and time.monotonic() < deadline
            time.sleep(0.2)

    def kill(self):
        """Ends the server at once, as a power cut does."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


class MlflowServer:
    """MLflow's server over HTTP, with its files in `folder`; `database` is where its runs are."""

    def __init__(self, folder, database="sqlite:///runs.db"):
        self.folder, self.database = folder, database
        self.port, self.process = free_port(), None

    @property
    def host(self):
        return f"127.0.0.1:{self.port}"

    @property
    def address(self):
        return f"http://{self.host}"

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.kill()

    def start(self):
        words = ["server", "--host", "127.0.0.1", "--port", str(self.port), "--workers", "1"]
        words += ["--backend-store-uri", self.database, "--artifacts-destination", "./files"]
        env = {"MLFLOW_DISABLE_TELEMETRY": "true", "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
        with (self.folder / "server.log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "mlflow", *words], cwd=self.folder,
                env={**os.environ, **env}, stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip
        deadline = time.monotonic() + 180
        while True:
            with contextlib.suppress(OSError, urllib.error.URLError):
                urllib.request.urlopen(f"{self.address}/health", timeout=2).close()
                return
            assert self.process.poll() is None and time.monotonic() < deadline
            time.sleep(0.5)

    def kill(self):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
