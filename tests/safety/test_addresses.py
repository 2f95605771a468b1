"""No password in anything that is written: whatever is in it, and however it is written."""

import string
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from sqlalchemy.engine import make_url

from lstm_bench.provenance import provenance
from lstm_bench.safety._addresses import HIDDEN, mask_address, mask_passwords, secrets

PASSWORD = st.text(string.ascii_letters + string.digits + "/@:?&=%+!~#.,-_", min_size=4).map(
    lambda text: f"zq{text}qz"  # nothing else holds these
)


@pytest.mark.parametrize(
    ("address", "shown"),
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
def test_an_address_keeps_all_but_what_is_secret(address, shown):
    assert mask_address(address) == shown


@given(PASSWORD)
def test_no_password_is_shown_wherever_it_stands(password):
    for address in (
        f"postgresql://ann:{password}@host:5432/runs",
        f"postgresql://host/runs?user=ann&password={password}",
        f"postgresql://ann:{password}@host/runs?sslpassword={password}",
        f"http://ann:{password}@host:80/",
    ):
        shown = mask_address(address)
        assert password not in shown
        assert "zq" not in shown and "qz" not in shown  # neither its beginning nor its end
        assert mask_address(shown) == shown
        said = f"no answer from {address}/api: {address!r}"
        assert "zq" not in mask_passwords(said, [address]).replace(quote(password), "")


@given(st.text(min_size=1), st.sampled_from([quote, quote_plus]))
def test_an_address_as_sqlalchemy_writes_it_is_shown_as_sqlalchemy_hides_it(password, encode):
    encoded = encode(password, safe="")
    assume(not set(encoded) & set("@/?#:"))
    url = make_url(f"postgresql://ann:{encoded}@host:5432/runs")
    assert mask_address(f"postgresql://ann:{encoded}@host:5432/runs") == url.render_as_string()


@given(PASSWORD)
def test_the_pieces_that_other_programs_make_of_a_password_are_hidden_in_messages(password):
    address = f"postgresql://ann:{password}@host:5432/runs"
    before, _, after = password.partition("@")
    said = f"could not translate host name '{after}@host', user '{before}'; tried {password}"
    shown = mask_passwords(said, [address])
    assert password not in shown
    assert "qz@host" not in shown or len(after) < 4
    assert HIDDEN in shown


def test_secrets_of_an_address_without_any():
    assert secrets("sqlite:///mlflow.db") == secrets("postgresql://ann@host/runs") == []


def test_a_command_is_recorded_without_its_password():
    words = ["sweep", "x", "--store", "postgresql://ann:my secret's@h/x", "--store=http://a:b@h"]
    said = provenance(words)["command"]
    assert "secret" not in said and ":b@" not in said
    assert said.startswith("lstm-bench sweep x --store ")


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
