"""What a network's nodes do not tell of it is read from a file, strictly."""

from __future__ import annotations

from pathlib import Path

import pytest

from registry.errors import InputError, LocalFailure
from registry.networks import FILE, Network, network_of

TEXT = '["eip155:100"]\nconfirmations = 20\npoll_seconds = 5\n["eip155:5"]\nconfirmations = 0\n'


def test_each_network_is_followed_as_is_noted_for_it(tmp_path: Path) -> None:
    (tmp_path / FILE).write_text(TEXT)
    assert network_of(tmp_path, 100) == Network(20, 5.0)
    assert network_of(tmp_path, 5) == Network(0, 2.0)
    assert network_of(tmp_path, 1) == Network(None, 2.0)


def test_headers_may_go_unchecked(tmp_path: Path) -> None:
    (tmp_path / FILE).write_text('["eip155:100"]\ncheck_headers = false\n')
    assert not network_of(tmp_path, 100).check_headers
    assert network_of(tmp_path, 1).check_headers


def test_without_a_file_the_node_s_own_finality_counts(tmp_path: Path) -> None:
    assert network_of(tmp_path, 100) == Network()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('["eip155:100"]\nconfirmations = -1', "confirmations .* is not a whole number"),
        ('["eip155:100"]\nconfirmations = true', "confirmations .* is not a whole number"),
        ('["eip155:100"]\nconfirmations = "20"', "confirmations .* is not a whole number"),
        ('["eip155:100"]\npoll_seconds = 0', "poll_seconds .* is not a number of seconds"),
        ('["eip155:100"]\ncheck_headers = 1', "check_headers .* is not true or false"),
        ('["eip155:100"]\nfinality = 3', "the key finality, which there is not"),
        ('"eip155:100" = 3', "is not a table"),
        ("[eip155:100]", "can not be read"),
    ],
)
def test_what_is_wrong_in_the_file_is_named(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / FILE).write_text(text)
    with pytest.raises(InputError, match=said):
        network_of(tmp_path, 100)


def test_a_file_that_can_not_be_read_is_no_missing_one(tmp_path: Path) -> None:
    (tmp_path / FILE).mkdir()
    with pytest.raises(LocalFailure):
        network_of(tmp_path, 100)
