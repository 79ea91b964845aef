"""Settings come from the environment, and what is noted survives a failed write."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from registry.config import (
    Deployment,
    Settings,
    note_deployment,
    read_deployment,
    settings_from,
)
from registry.errors import InputError, LocalFailure, RegistryError

CONTRACT = "0x5FbDB2315678afecb367f032d93F642f64180aa3"
EMBEDDED = Deployment(131277322940537, CONTRACT, 1)
REMOTE = Deployment(11155111, "0xCf7Ed3AccA5a467e9e704C703E8D87F634fB0Fc9", 9_000_000)
URL = "https://rpc.example/v3/0123456789abcdef"
KEY = "0x" + "ab" * 32


# The environment


def test_without_anything_set_the_chain_is_the_embedded_one(tmp_path: Path) -> None:
    found = settings_from({"POLREG_HOME": str(tmp_path)})
    assert found == Settings(home=tmp_path)
    assert found.networks == ("embedded",)
    assert found.embedded_chain.is_relative_to(tmp_path)
    assert found.development_keystore.is_relative_to(tmp_path)
    assert found.development_password.is_relative_to(tmp_path)


def test_every_setting_has_its_variable(tmp_path: Path) -> None:
    found = settings_from(
        {
            "POLREG_HOME": str(tmp_path),
            "POLREG_RPC_URL": URL,
            "POLREG_RPC_WS_URL": "wss://heads.example/key",
            "POLREG_RPC_TIMEOUT": "2.5",
            "POLREG_CONTRACT": CONTRACT,
            "POLREG_FIRST_BLOCK": "12",
            "POLREG_DATABASE_URL": "sqlite:////tmp/mirror.sqlite",
            "POLREG_KEYSTORE": "keys/mine.json",
            "POLREG_PASSWORD_FILE": "~/password",
            "POLREG_PRIVATE_KEY": KEY,
            "POLREG_MAX_FEE_GWEI": "1.5",
            "POLREG_STUCK_AFTER": "30",
            "HOME": "/nowhere",
        }
    )
    assert found == Settings(
        home=tmp_path,
        rpc_url=URL,
        rpc_ws_url="wss://heads.example/key",
        rpc_timeout=2.5,
        contract=CONTRACT,
        first_block=12,
        database_url="sqlite:////tmp/mirror.sqlite",
        keystore=Path("keys/mine.json"),
        password_file=Path("~/password").expanduser(),
        private_key=KEY,
        max_fee=1_500_000_000,
        stuck_after=30.0,
    )


@pytest.mark.parametrize("value", ["-1", "1e3", "ten", "0.0000000001", "٣"])
def test_a_fee_that_is_no_number_of_gwei_is_refused(value: str) -> None:
    with pytest.raises(InputError, match="POLREG_MAX_FEE_GWEI"):
        settings_from({"POLREG_MAX_FEE_GWEI": value})


def test_an_empty_variable_is_one_that_is_not_set(tmp_path: Path) -> None:
    names = ("RPC_URL", "CONTRACT", "FIRST_BLOCK", "DATABASE_URL", "KEYSTORE", "PRIVATE_KEY")
    empty = {f"POLREG_{name}": "" for name in names}
    assert settings_from({"POLREG_HOME": str(tmp_path), **empty}) == Settings(home=tmp_path)


def test_without_a_home_it_is_the_platforms_folder() -> None:
    home = settings_from({}).home
    assert home.is_absolute()
    assert home.name == "policy-registry"


def test_a_home_is_absolute_so_that_a_change_of_folder_changes_nothing() -> None:
    assert settings_from({"POLREG_HOME": "here"}).home == Path.cwd() / "here"


@pytest.mark.parametrize("value", ["-1", "0x10", "1.5", "twelve", " 12", "²"])
def test_a_first_block_that_is_no_number_is_refused(value: str) -> None:
    with pytest.raises(InputError, match="POLREG_FIRST_BLOCK"):
        settings_from({"POLREG_FIRST_BLOCK": value})


def test_no_secret_is_shown_by_repr() -> None:
    found = Settings(
        home=Path("/h"),
        rpc_url=URL,
        rpc_ws_url=URL.replace("https", "wss"),
        database_url="postgresql://user:hunter2@db/mirror",
        private_key=KEY,
    )
    for secret in ("0123456789abcdef", "hunter2", "abab"):
        assert secret not in repr(found)
        assert secret not in str(found)


def test_a_networks_name_tells_nothing_of_its_url_but_differs_with_it() -> None:
    (one,), (other,) = (Settings(home=Path("/h"), rpc_url=URL + end).networks for end in ("", "0"))
    assert one != other
    assert (one,) == Settings(home=Path("/elsewhere"), rpc_url=URL).networks
    assert "0123456789abcdef" not in one
    assert "example" not in one


def test_mirrors_of_two_contracts_or_chains_are_two_files() -> None:
    settings = Settings(home=Path("/h"))
    same_contract = Deployment(1, EMBEDDED.contract, 1)
    paths = {settings.mirror_path(each) for each in (EMBEDDED, REMOTE, same_contract)}
    assert len(paths) == 3
    assert all(each.parent == Path("/h") for each in paths)


# Several nodes

TWO = (URL, "http://127.0.0.1:8545/a,b?c=d,e")


@pytest.mark.parametrize("between", [" ", ",", ", ", "\n", " ,\t", ",,"])
def test_several_nodes_are_separated_by_spaces_or_commas(between: str) -> None:
    settings = settings_from({"POLREG_RPC_URL": f" {between.join(TWO)}{between}"})
    assert settings.rpc_urls == TWO
    assert settings.heads_url is None


def test_a_websocket_among_them_announces_blocks_and_is_not_asked() -> None:
    settings = settings_from({"POLREG_RPC_URL": f"wss://a.example/k,{URL} ws://b.example"})
    assert settings.rpc_urls == (URL,)
    assert settings.heads_url == "wss://a.example/k"
    given = settings_from({"POLREG_RPC_URL": "ws://a.example", "POLREG_RPC_WS_URL": "ws://c"})
    assert given.heads_url == "ws://c"


@pytest.mark.parametrize("value", ["0", "-1", "1e3", "ten", "1.0.0", "inf", "٣"])
def test_a_time_out_that_is_no_number_of_seconds_is_refused(value: str) -> None:
    with pytest.raises(InputError, match="POLREG_RPC_TIMEOUT"):
        settings_from({"POLREG_RPC_TIMEOUT": value})


def test_a_deployment_is_found_by_any_of_its_nodes(tmp_path: Path) -> None:
    def by(*urls: str) -> Deployment | None:
        return read_deployment(Settings(home=tmp_path, rpc_url=" ".join(urls)))

    one, other = TWO
    note_deployment(Settings(home=tmp_path, rpc_url=f"{one} {other}"), REMOTE)
    added = "https://a.third/node"
    for urls in [(one,), (other,), (other, one), (added, one), (one, added, other)]:
        assert by(*urls) == REMOTE, urls
    assert by(added) is None


def test_nodes_that_are_known_with_different_contracts_are_not_mixed(tmp_path: Path) -> None:
    one, other = (Settings(home=tmp_path, rpc_url=url) for url in TWO)
    both = Settings(home=tmp_path, rpc_url=" ".join(TWO))
    elsewhere = Deployment(REMOTE.chain_id, CONTRACT, 7)
    note_deployment(one, REMOTE)
    note_deployment(other, elsewhere)
    with pytest.raises(InputError, match=f"{REMOTE.contract}.*{CONTRACT}") as caught:
        read_deployment(both)
    assert "POLREG_CONTRACT" in str(caught.value.hint)
    assert read_deployment(both, CONTRACT) == elsewhere
    assert read_deployment(both, EMBEDDED.contract.lower()) is None
    note_deployment(both, REMOTE)
    assert read_deployment(both) == read_deployment(other) == REMOTE


def test_one_contract_noted_from_two_blocks_is_read_from_the_first(tmp_path: Path) -> None:
    one, other = (Settings(home=tmp_path, rpc_url=url) for url in TWO)
    note_deployment(one, Deployment(REMOTE.chain_id, REMOTE.contract, 9))
    note_deployment(other, Deployment(REMOTE.chain_id, REMOTE.contract, 5))
    for urls in (TWO, TWO[::-1]):
        found = read_deployment(Settings(home=tmp_path, rpc_url=" ".join(urls)))
        assert found == Deployment(REMOTE.chain_id, REMOTE.contract, 5)


# What is noted


def test_what_is_noted_is_read_again_for_its_network_alone(tmp_path: Path) -> None:
    home = tmp_path / "not" / "there" / "yet"
    local, remote = Settings(home=home), Settings(home=home, rpc_url=URL)
    assert read_deployment(local) is None
    note_deployment(local, EMBEDDED)
    assert read_deployment(local) == EMBEDDED
    assert read_deployment(remote) is None
    note_deployment(remote, REMOTE)
    assert (read_deployment(local), read_deployment(remote)) == (EMBEDDED, REMOTE)


def test_a_new_deployment_takes_the_place_of_the_old(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    for deployment in (EMBEDDED, REMOTE, REMOTE):
        note_deployment(settings, deployment)
        assert read_deployment(settings) == deployment


def test_the_url_of_a_node_is_not_written_to_disk(tmp_path: Path) -> None:
    note_deployment(Settings(home=tmp_path, rpc_url=URL, private_key=KEY), REMOTE)
    written = "".join(path.read_text() for path in tmp_path.iterdir())
    assert "0123456789abcdef" not in written
    assert "abab" not in written


@pytest.mark.parametrize("failing", ["fsync", "replace", "open"])
def test_the_old_note_stays_where_the_new_one_can_not_be_written(
    failing: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = Settings(home=tmp_path)
    note_deployment(settings, EMBEDDED)
    before = (tmp_path / "config.toml").read_bytes()

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        if failing == "fsync":
            patch.setattr(os, "fsync", full)
        elif failing == "replace":
            patch.setattr(Path, "replace", full)
        else:
            (tmp_path / "config.new").mkdir()
        with pytest.raises((OSError, RegistryError)):
            note_deployment(settings, REMOTE)
    assert (tmp_path / "config.toml").read_bytes() == before
    assert read_deployment(settings) == EMBEDDED


def test_half_a_file_that_a_crash_left_is_no_obstacle(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    note_deployment(settings, EMBEDDED)
    (tmp_path / "config.new").write_text('[deployments.embedded]\ncontract = "0x')
    assert read_deployment(settings) == EMBEDDED
    note_deployment(settings, REMOTE)
    assert read_deployment(settings) == REMOTE


@pytest.mark.parametrize(
    "content",
    [
        "not toml",
        '[deployments.embedded]\ncontract = "0x',
        "[deployments.embedded]\nchain_id = 1\n",
        "[deployments]\nembedded = 3\n",
        "[deployments.embedded]\nchain_id = 'one'\ncontract = '0x'\nblock = 1\n",
    ],
)
def test_a_damaged_file_is_named(content: str, tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text(content)
    with pytest.raises(InputError, match=r"config\.toml"):
        read_deployment(Settings(home=tmp_path))


def test_a_file_that_is_not_utf8_is_named(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_bytes(b"\xff")
    with pytest.raises(InputError, match=r"config\.toml"):
        read_deployment(Settings(home=tmp_path))


def test_a_file_that_is_none_is_this_machines_fault(tmp_path: Path) -> None:
    (tmp_path / "config.toml").mkdir()
    with pytest.raises(LocalFailure, match=r"config\.toml"):
        read_deployment(Settings(home=tmp_path))


@pytest.mark.parametrize(
    "content",
    [
        "deployments = 3\n",
        "[[deployments]]\na = 1\n",
        "[deployments.embedded]\nchain_id = inf\ncontract = '0x'\nblock = 1\n",
    ],
)
def test_reading_any_damaged_file_ends_in_words(content: str, tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text(content)
    with pytest.raises(RegistryError):
        read_deployment(Settings(home=tmp_path))


@pytest.mark.parametrize("content", ["not toml", "deployments = 3\n"])
def test_noting_beside_a_damaged_file_ends_in_words(content: str, tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text(content)
    with pytest.raises(RegistryError):
        note_deployment(Settings(home=tmp_path), EMBEDDED)


def test_a_home_that_can_not_be_made_ends_in_words(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(LocalFailure):
        note_deployment(Settings(home=tmp_path / "file"), EMBEDDED)


@pytest.mark.parametrize(
    "environment",
    [{"POLREG_FIRST_BLOCK": "9" * 5000}, {"POLREG_HOME": "~nobody-of-that-name/registry"}],
    ids=["5,000 digits", "home of nobody"],
)
def test_a_setting_that_can_not_be_read_ends_in_words(environment: dict[str, str]) -> None:
    with pytest.raises(InputError):
        settings_from(environment)
