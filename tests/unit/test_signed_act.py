"""A signed act, and a signing kit, mean one thing or are refused."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.chain.typed_data import digest_of
from registry.core.digest import sha256
from registry.core.entry import Action
from registry.core.lifecycle import TRANSITIONS, Status
from registry.core.policy import PolicyKey
from registry.core.signed_act import (
    MAX_BYTES,
    ActsToSign,
    SignedAct,
    called,
    read_signed_act,
    write_signed_act,
)
from registry.core.signing_kit import (
    KnownPolicy,
    SigningKit,
    read_kit,
    state_before,
    write_kit,
)
from registry.core.submission import Submission
from registry.core.units import Address, Day, Digest, UnixSeconds
from registry.errors import InputError

digests = st.binary(min_size=32, max_size=32).filter(any).map(Digest)
addresses = st.binary(min_size=20, max_size=20).map(Address)
contents = st.text(st.characters(codec="utf-8"), max_size=20).map(lambda text: text.encode())


@st.composite
def submissions(draw: st.DrawFn) -> Submission:
    content = draw(contents)
    return Submission(
        PolicyKey(draw(st.sampled_from(["CN", "CN.GD", "US.DC-2"])), draw(digests)),
        draw(st.integers(0, 2**32 - 1)),
        draw(st.sampled_from([each for each in Action if each.on_policy])),
        draw(st.none() | st.integers(-(2**31) + 1, 2**31 - 1).map(Day)),
        draw(st.none() | digests),
        sha256(content) if content else draw(digests),
        content,
    )


signed_acts = st.builds(
    SignedAct,
    st.builds(
        ActsToSign,
        st.integers(0, 2**53 - 1),
        addresses,
        addresses,
        st.integers(0, 2**53 - 1).map(UnixSeconds),
        st.lists(submissions(), min_size=1, max_size=3).map(tuple),
    ),
    st.binary(max_size=130),
)


@given(signed_acts)
def test_what_is_written_is_what_is_read(signed: SignedAct) -> None:
    assert read_signed_act(write_signed_act(signed)) == signed


@given(signed_acts, signed_acts)
def test_acts_that_differ_are_signed_by_different_digests(one: SignedAct, two: SignedAct) -> None:
    bare = [each.acts.typed_data() for each in (one, two)]
    assert (bare[0] == bare[1]) == (digest_of(one.acts) == digest_of(two.acts))


def example() -> dict[str, Any]:
    content = b'{"number":"x"}'
    submission = Submission(
        PolicyKey("CN.GD", Digest(b"n" * 32)), 1, Action.PUBLISH, Day(5), Digest(b"d" * 32),
        sha256(content), content,
    )  # fmt: skip
    acts = ActsToSign(1, Address(b"c" * 20), Address(b"r" * 20), UnixSeconds(9), (submission,))
    found: dict[str, Any] = orjson.loads(write_signed_act(SignedAct(acts, b"\x01" * 65)))
    return found


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The way to every value within."""
    inner = value.items() if isinstance(value, dict) else enumerate(value)
    found = [path] if path else []
    for key, each in inner:
        deeper = isinstance(each, dict | list)
        found += places(each, (*path, key)) if deeper else [(*path, key)]
    return found


def changed(value: Any, path: tuple[Any, ...], change: Callable[[Any, Any], None]) -> Any:
    made = copy.deepcopy(value)
    holder = made
    for key in path[:-1]:
        holder = holder[key]
    change(holder, path[-1])
    return made


def refused(value: Any) -> bool:
    try:
        read_signed_act(orjson.dumps(value))
    except InputError:
        return True
    return False


@pytest.mark.parametrize("path", places(example()), ids=lambda path: ".".join(map(str, path)))
def test_nothing_may_be_left_out_or_be_of_another_kind(path: tuple[Any, ...]) -> None:
    def remove(holder: Any, key: Any) -> None:
        del holder[key]

    def put(other: Any) -> Callable[[Any, Any], None]:
        return lambda holder, key: holder.__setitem__(key, other)

    assert refused(changed(example(), path, remove))
    for other in (None, True, 1.5, -1, 2**53, [], {}, "x", "0X00", [[]]):
        # effectiveOn may be any day, also one before 1970.
        if other == -1 and path[-1] == "effectiveOn":
            continue
        assert refused(changed(example(), path, put(other))), (path, other)


@pytest.mark.parametrize("path", [p[:-1] for p in places(example()) if isinstance(p[-1], str)])
def test_nothing_may_be_added(path: tuple[Any, ...]) -> None:
    def add(holder: Any, key: Any) -> None:
        holder[key]["more"] = 1

    if not path:
        assert refused({**example(), "more": 1})
        return
    assert refused(changed(example(), path, add))


def test_a_manifest_is_the_one_that_is_named_or_left_out() -> None:
    for text, refuse in (('{"number":"y"}', True), ("", False), ("\ud800", True)):
        value = {**example(), "manifests": [text]}
        content = orjson.dumps(value) if text != "\ud800" else None
        if content is None:
            content = orjson.dumps({**example(), "manifests": ["@"]}).replace(b"@", b"\\ud800")
        try:
            read_signed_act(content)
        except InputError:
            assert refuse
        else:
            assert not refuse


def test_what_is_too_long_is_not_read() -> None:
    with pytest.raises(InputError, match="at most"):
        read_signed_act(b" " * (MAX_BYTES + 1))
    assert refused({**example(), "signature": "0x" + "00" * 4097})


def test_acts_are_called_by_what_their_manifests_say() -> None:
    acts = read_signed_act(orjson.dumps(example())).acts.submissions
    assert called(acts).startswith("publish CN.GD ")
    assert called([*acts, *acts]).endswith("and 1 more")


KIT = SigningKit(
    31337,
    Address(b"c" * 20),
    UnixSeconds(1_700_000_000),
    ("CN.GD", "US"),
    {
        key.policy_id: KnownPolicy(key, Status.SUSPENDED, 3, {"zh": "一"}, None, "CN-GD", ("CN",))
        for key in (PolicyKey("CN.GD", Digest(b"n" * 32)), PolicyKey("US", Digest(b"m" * 32)))
    },
)


def test_a_kit_is_read_as_it_was_written() -> None:
    assert read_kit(write_kit(KIT)) == KIT
    known = KIT.known(PolicyKey("CN.GD", Digest(b"n" * 32)))
    assert known is not None
    assert KIT.known(PolicyKey("CN.GD", Digest(b"x" * 32))) is None
    assert KIT.state(PolicyKey("CN.GD", Digest(b"x" * 32))).status is Status.NONE
    with pytest.raises(InputError, match="says nothing"):
        KIT.known(PolicyKey("CN", Digest(b"x" * 32)))


@pytest.mark.parametrize(
    "path", places(orjson.loads(write_kit(KIT))), ids=lambda path: ".".join(map(str, path))
)
def test_a_kit_with_anything_wrong_is_none(path: tuple[Any, ...]) -> None:
    value = orjson.loads(write_kit(KIT))

    def wrong(holder: Any, key: Any) -> None:
        holder[key] = 1.5

    with pytest.raises(InputError, match="not a signing kit"):
        read_kit(orjson.dumps(changed(value, path, wrong)))


@pytest.mark.parametrize("action", [each for each in Action if each.on_policy])
def test_an_act_is_signed_by_its_number_alone(action: Action) -> None:
    if action is Action.PUBLISH:
        assert state_before(action, 1).sequence == 0
        with pytest.raises(InputError):
            state_before(action, 2)
        return
    state = state_before(action, 5)
    assert state.sequence == 4
    assert state.status in TRANSITIONS[action][0]
    for wrong in (0, 1):
        with pytest.raises(InputError):
            state_before(action, wrong)
