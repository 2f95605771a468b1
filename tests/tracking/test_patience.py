"""A store that does not answer is asked again for some time, and then given up."""

import pytest
import requests

from lstm_bench.errors import StoreError, StoreLostError
from lstm_bench.tracking import _patience as module
from lstm_bench.tracking._patience import Patience, patient_client
from lstm_bench.tracking._store_errors import StoreErrors


@pytest.fixture
def clock(monkeypatch):
    """A clock that only sleeping moves."""

    class Clock:
        now = 0.0

        def __call__(self):
            return self.now

        def sleep(self, seconds):
            self.now += seconds

    made = Clock()
    monkeypatch.setattr(module.time, "sleep", made.sleep)
    return made


class Client:
    """Answers from the moment `back` on."""

    def __init__(self, clock, back, error=None):
        self.clock, self.back, self.calls = clock, back, 0
        self.error = error or requests.ConnectionError("refused")

    def get_run(self, run_id):
        self.calls += 1
        if self.clock.now < self.back:
            raise self.error
        return f"run {run_id}"


def test_a_request_is_repeated_until_the_store_is_back(clock):
    client = Client(clock, back=100)
    assert patient_client(client, Patience(600, clock)).get_run("a") == "run a"
    assert clock.now == 100 and client.calls == 51


def test_it_is_given_up_after_the_time_with_what_the_store_said(clock):
    client = Client(clock, back=1e9)
    with pytest.raises(requests.ConnectionError, match="refused"):
        patient_client(client, Patience(60, clock)).get_run("a")
    assert 50 < clock.now <= 60


def test_an_answer_that_is_an_error_is_not_asked_for_again(clock):
    client = Client(clock, back=1, error=ValueError("no such run"))
    with pytest.raises(ValueError, match="no such run"):
        patient_client(client, Patience(600, clock)).get_run("a")
    assert client.calls == 1


def test_a_file_or_a_command_that_only_reads_has_no_patience(clock):
    client = Client(clock, back=100)
    with pytest.raises(requests.ConnectionError):
        patient_client(client, Patience(0, clock)).get_run("a")
    assert client.calls == 1


def errors_of(patience, opened, notices):
    errors = StoreErrors("http://host", "http://host", notices.append, patience)
    errors.opened = opened
    return errors


def test_a_store_that_went_away_is_no_fault_of_the_user(clock):
    errors = errors_of(Patience(60, clock), True, [])
    with pytest.raises(StoreLostError, match="has not answered for 1 min"), errors.reported():
        raise requests.ConnectionError("refused")
    assert errors.lost
    with pytest.raises(StoreLostError), errors.reported():
        raise AssertionError
    with pytest.raises(StoreLostError):
        errors.check_answering()


def test_one_that_never_answered_may_be_a_wrong_address(clock):
    errors = errors_of(Patience(60, clock), False, [])
    with pytest.raises(StoreError, match="start its server"), errors.reported():
        raise requests.ConnectionError("refused")


def test_the_first_request_without_an_answer_is_reported_at_once_and_the_next_answer_too(clock):
    notices, client = [], Client(clock, back=30)
    patience = Patience(60, clock)
    errors = errors_of(patience, True, notices)
    with errors.reported(), errors.reported():
        patience.call(client.get_run, "a")
    assert [notice.partition(";")[0] for notice in notices] == [
        "waiting for the store http://host, which does not answer",
        "the store http://host answers again",
    ]
    assert "ends after 1 min without an answer" in notices[0]


def test_a_request_that_hangs_for_ever_is_given_up_by_whoever_checks(clock):
    patience = Patience(60, clock)
    errors = errors_of(patience, True, [])

    def hang():
        clock.now += 59
        errors.check_answering()
        clock.now += 2
        with pytest.raises(StoreLostError, match="was not answered"):
            errors.check_answering()

    patience.call(hang)
    assert patience.waited() == 0
