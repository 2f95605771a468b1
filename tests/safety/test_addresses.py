"""No password is written or printed, whatever characters it has and however it is encoded."""

import string
import time
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from sqlalchemy.engine import make_url

from lstm_bench.provenance import provenance
from lstm_bench.safety._addresses import HIDDEN, mask_address, mask_passwords, secret_texts

PASSWORD = st.text(string.ascii_letters + string.digits + "/@:?&=%+!~#.,-_", min_size=4).map(
    lambda text: f"zq{text}qz"  # in no other text
)


@pytest.mark.parametrize(
    ("address", "masked"),
    [
        ("postgresql://app2:Hun/ter2@127.0.0.1:54399/runs2", "postgresql://app2:***@127.0.0.1:54399/runs2"),
        ("postgresql://127.0.0.1/runs?user=app&password=Hunter2", "postgresql://127.0.0.1/runs?user=***&password=***"),
        ("postgresql://app:Hunt@er2@h", "postgresql://app:***@h"),
        ("http://app:Hunter2@127.0.0.1:1", "http://app:***@127.0.0.1:1"),
        ("http://Hunter2@127.0.0.1:1", "http://***@127.0.0.1:1"),
        ("mysql+pymysql://a:b@h/x?ssl_ca=y", "mysql+pymysql://a:***@h/x?ssl_ca=***"),
        ("--store=postgresql://a:Hunter2@h/x", "--store=postgresql://a:***@h/x"),
        ("postgresql://ann@host/runs", "postgresql://ann@host/runs"),
        ("sqlite:///mlflow.db", "sqlite:///mlflow.db"),
        ("http://127.0.0.1:5000", "http://127.0.0.1:5000"),
        ("units=20", "units=20"),
        ("postgresql:/ann:hunter22@h/x", "postgresql:/ann:***@h/x"),  # mistyped
        ("postgresql//ann:hunter22@h/x", "postgresql//ann:***@h/x"),
        ("ann:hunter22@h/x", "ann:***@h/x"),
    ],
)  # fmt: skip
def test_only_the_secrets_of_an_address_are_masked(address, masked):
    assert mask_address(address) == masked


@given(PASSWORD)
def test_no_password_is_shown_wherever_it_is(password):
    for address in (
        f"postgresql://ann:{password}@host:5432/runs",
        f"postgresql://host/runs?user=ann&password={password}",
        f"postgresql://ann:{password}@host/runs?sslpassword={password}",
        f"http://ann:{password}@host:80/",
    ):
        masked = mask_address(address)
        assert password not in masked
        assert "zq" not in masked and "qz" not in masked  # neither its beginning nor its end
        assert mask_address(masked) == masked
        message = f"no answer from {address}/api: {address!r}"
        assert "zq" not in mask_passwords(message, [address]).replace(quote(password), "")


@given(st.text(min_size=1), st.sampled_from([quote, quote_plus]))
def test_an_encoded_address_is_masked_as_sqlalchemy_does(password, encode):
    encoded = encode(password, safe="")
    assume(not set(encoded) & set("@/?#:"))
    url = make_url(f"postgresql://ann:{encoded}@host:5432/runs")
    assert mask_address(f"postgresql://ann:{encoded}@host:5432/runs") == url.render_as_string()


@given(PASSWORD)
def test_parts_of_a_password_in_messages_of_other_programs_are_hidden(password):
    address = f"postgresql://ann:{password}@host:5432/runs"
    before, _, after = password.partition("@")
    message = f"could not translate host name '{after}@host', user '{before}'; tried {password}"
    masked = mask_passwords(message, [address])
    assert password not in masked
    assert "qz@host" not in masked or len(after) < 4
    assert HIDDEN in masked


def test_long_texts_are_searched_in_linear_time():
    """Quadratic time would be minutes for each of these."""
    texts = ["z" * 200_000, "z:/" * 70_000, "http://" * 30_000, "http://" + "a@" * 100_000]
    start = time.process_time()
    for text in texts:
        mask_passwords(text)
    assert time.process_time() - start < 5
    assert (
        mask_passwords("z" * 200_000 + " http://ann:secret@h")
        == "z" * 200_000 + " http://ann:***@h"
    )
    assert mask_passwords("z" * 500 + "http://ann:secret@h").endswith("http://ann:***@h")


def test_an_address_without_secrets():
    assert secret_texts("sqlite:///mlflow.db") == secret_texts("postgresql://ann@host/runs") == []


def test_a_command_is_recorded_without_its_password():
    words = ["sweep", "x", "--store", "postgresql://ann:my secret's@h/x", "--store=http://a:b@h"]
    recorded = provenance(words)["command"]
    assert "secret" not in recorded and ":b@" not in recorded
    assert recorded.startswith("lstm-bench sweep x --store ")


@pytest.mark.parametrize(
    "words",
    [("report", "--store", "sqlite:///pw.db?password=hunter22"),
     ("report", "--store", "postgresql:/ann:hunter22@h/x"),
     ("report", "--store", "ann:hunter22@h/x"),
     ("sweep", "postgresql://ann:hunter22@h/x"),
     ("sweep", "s", "--profile", "postgresql://ann:hunter22@h/x"),
     ("report",)],
)  # fmt: skip
def test_no_message_shows_a_password(command, monkeypatch, tmp_path, words):
    monkeypatch.chdir(tmp_path)
    if words == ("report",):
        (tmp_path / "conf").mkdir()
        (tmp_path / "conf" / "default.yaml").write_text("store: [postgresql://ann:hunter22@h/x]\n")
    code, out, err = command(*words)
    assert code == 2 and err
    assert "hunter22" not in out + err
