"""docs/networks.md says what the code does: settings, faults, numbers."""

from __future__ import annotations

import re
from pathlib import Path

import registry.config
from registry.chain.failover import LONGEST_REST, SHORTEST_REST
from registry.chain.http_post import Limits
from registry.chain.retries import WITH_OTHERS, Policy
from registry.config import Settings
from registry.core.following import Fault
from registry.networks import network_of
from registry.services.sync import BLOCKS_PER_RANGE

PAGE = (Path(__file__).parents[2] / "docs" / "networks.md").read_text(encoding="utf-8")


def test_the_settings_of_the_page_are_the_program_s() -> None:
    documented = registry.config.__doc__ or ""
    settings = set(re.findall(r"^\| `(POLREG_\w+)` \|", PAGE, re.MULTILINE))
    assert settings == set(re.findall(r"^(POLREG_RPC\w*)", documented, re.MULTILINE))
    assert f"{Settings(home=Path()).rpc_timeout:.0f} where it is not set" in PAGE


def test_the_faults_of_a_node_that_does_not_answer_are_all_there() -> None:
    counted = set(re.findall(r"\| `(\w+)` \| ", PAGE))
    assert {
        Fault.UNREACHABLE,
        Fault.TIMED_OUT,
        Fault.RATE_LIMITED,
        Fault.SERVER_ERROR,
        Fault.MALFORMED,
        Fault.REFUSED,
    } <= counted


def test_its_numbers_are_the_program_s() -> None:
    policy, limits = Policy(), Limits()
    text = " ".join(PAGE.split())
    assert policy.attempts == 4
    assert "made four times at most" in text
    assert WITH_OTHERS.attempts == 2
    assert "and twice where another node can be asked" in text
    pauses = [policy.first_pause_seconds * policy.factor**n for n in range(policy.attempts - 1)]
    assert f"{pauses[0]:.1f}, {pauses[1]:.1f} and {pauses[2]:.1f} seconds" in text
    assert policy.jitter_seconds == 0.5
    assert f"{policy.most_retry_after_seconds:.0f} seconds at most" in text
    assert f"more than {limits.answer_bytes // 2**20} MiB" in text
    assert limits.total_seconds == 4 * limits.silence_seconds
    assert f"sent {limits.batch_calls} at a time" in text
    assert f"begins at {BLOCKS_PER_RANGE}, doubles" in text
    assert f"left alone for {SHORTEST_REST:.0f} seconds" in text
    assert LONGEST_REST == 600
    assert "ten minutes at most" in text


def test_the_networks_file_that_it_shows_is_read(tmp_path: Path) -> None:
    shown = re.findall(r"(?:^    .+\n)+", PAGE, re.MULTILINE)
    (tmp_path / "networks.toml").write_text("".join(shown))
    assert network_of(tmp_path, 1337).confirmations == 12
    assert not network_of(tmp_path, 100).check_headers
