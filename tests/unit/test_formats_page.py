"""docs/formats.md says what the code does: every example and every table is checked.

An example is a fenced block marked `example NAME` of lines `key = value`. Its check
takes what is given in it and computes all of it anew; nothing hexadecimal stands
outside of an example.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest
from eth_account.messages import encode_typed_data
from eth_hash.auto import keccak

from registry.chain import events
from registry.chain.abi import artifact
from registry.chain.signers import LocalSigner
from registry.chain.typed_data import digest_of
from registry.core import manifest as manifests
from registry.core import merkle, tiles
from registry.core import signed_act as signed_acts
from registry.core.authority import MAX_CODE_LENGTH, Role, encode_code, parent, role_id
from registry.core.calendar import FIRST_DAY, iso_date, parse_day, parse_time
from registry.core.digest import sha256
from registry.core.entry import ENTRY_SIZE, Action, Entry, decode_entry
from registry.core.feed import Place, Recorded
from registry.core.lifecycle import TRANSITIONS, Status
from registry.core.log_export import MAX_LINE, LogHeader, entry_line, header_line
from registry.core.log_export import SCHEMA as LOG_SCHEMA
from registry.core.manifest import ManifestState, read
from registry.core.policy import MAX_NUMBER_BYTES, PolicyKey, number_hash, policy_id
from registry.core.signed_act import ActsToSign, SignedAct, read_signed_act, write_signed_act
from registry.core.signing_kit import SCHEMA as KIT_SCHEMA
from registry.core.snapshot import (
    COLUMNS,
    Checkpoint,
    Filters,
    Logged,
    filtered_row,
    header,
    ndjson_line,
    policy_history,
)
from registry.core.strict_json import MAX_DEPTH
from registry.core.submission import Submission
from registry.core.text import list_file
from registry.core.text.clauses import PROFILE, Clause, clauses_root
from registry.core.tiles import TileId
from registry.core.timeline import Act, timeline
from registry.core.units import Address, BlockNumber, Day, Digest, EntryIndex, UnixSeconds
from registry.services.snapshots import csv_line
from registry.services.texts.salts import SCHEMA as SALTS_SCHEMA
from tests.anvil import DEV_KEYS

PAGE = (Path(__file__).parents[2] / "docs" / "formats.md").read_text("utf-8")
_BLOCK = re.compile(r"^```example (\S+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)

Example = dict[str, str]


def parsed(block: str) -> Example:
    lines = [line.split(" = ", 1) for line in block.splitlines()]
    found = {key.strip(): value for key, value in lines}
    assert len(found) == len(lines), "a key stands twice"
    return found


EXAMPLES = {name: parsed(block) for name, block in _BLOCK.findall(PAGE)}


def digest(text: str) -> Digest:
    return Digest(bytes.fromhex(text))


def words(data: bytes) -> list[str]:
    return [data[at : at + 32].hex() for at in range(0, len(data), 32)]


def numbered(prefix: str, values: list[str], first: int = 0) -> Example:
    return {f"{prefix} {number}": value for number, value in enumerate(values, first)}


# The checks: from an example, the example as the code would write it.


def authority(given: Example) -> Example:
    code = given["code"]
    return {
        "code": code,
        "bytes32": encode_code(code).hex(),
        "parent": parent(code),
        "registrars' role": role_id(code, Role.REGISTRAR).hex(),
        "controllers' role": role_id(code, Role.CONTROLLER).hex(),
    }


def policy(given: Example) -> Example:
    code, number = given["authority"], given["number"]
    return {
        "authority": code,
        "number": number,
        "number hash": number_hash(number).hex(),
        "policy_id": policy_id(code, number_hash(number)).hex(),
    }


def number_nfc(given: Example) -> Example:
    composed, decomposed = (bytes.fromhex(given[key]) for key in ("composed", "decomposed"))
    assert composed != decomposed
    assert number_hash(composed.decode()) == number_hash(decomposed.decode()) == sha256(composed)
    return {
        "composed": composed.hex(),
        "decomposed": decomposed.hex(),
        "number hash": sha256(composed).hex(),
    }


def document(given: Example) -> Example:
    return {"text": given["text"], "document": sha256(given["text"].encode()).hex()}


def the_entry() -> Entry:
    given = EXAMPLES["entry"]
    return Entry(
        index=EntryIndex(int(given["index"])),
        previous=None if given["previous"] == "none" else EntryIndex(int(given["previous"])),
        authority=given["authority"],
        number=digest(EXAMPLES["policy"]["number hash"]),
        sequence=int(given["sequence"]),
        action=Action[given["action"].upper()],
        effective_on=parse_day(given["effectiveOn"]),
        document=digest(EXAMPLES["document"]["document"]),
        manifest=digest(EXAMPLES["manifest"]["sha256"]),
        registrar=Address(bytes.fromhex(given["registrar"])),
        recorded_at=parse_time(given["recordedAt"]),
    )


def entry(given: Example) -> Example:
    made = the_entry()
    assert decode_entry(made.encode()) == made
    stated = ("index", "previous", "authority", "sequence", "action", "effectiveOn")
    return {
        **{key: given[key] for key in (*stated, "registrar", "recordedAt")},
        **numbered("word", words(made.encode())),
        "leaf hash": made.leaf_hash().hex(),
    }


def entry_words(given: Example) -> Example:
    base = the_entry()

    def date_word(day: Day | None) -> str:
        return words(Entry(**{**fields_of(base), "effective_on": day}).encode())[6]

    return {
        **{key: date_word(parse_day(key)) for key in given if key[0].isdigit()},
        "no date": date_word(None),
        "no previous": words(Entry(**{**fields_of(base), "previous": None}).encode())[1],
    }


def fields_of(made: Entry) -> dict[str, Any]:
    return {name: getattr(made, name) for name in made.__dataclass_fields__}


def tree_leaves() -> list[Digest]:
    """Four leaves of one byte each, and the entry of the page."""
    return [*(merkle.leaf_hash(b"%d" % n) for n in range(4)), the_entry().leaf_hash()]


def tree(given: Example) -> Example:
    leaves = tree_leaves()
    pair = merkle.node_hash(leaves[0], leaves[1])
    return {
        **numbered("leaf", [each.hex() for each in leaves]),
        "node of 0 and 1": pair.hex(),
        **numbered("root of", [merkle.root(leaves[:size]).hex() for size in range(6)]),
    }


def inclusion(given: Example) -> Example:
    leaves, index, size = tree_leaves(), int(given["index"]), int(given["size"])
    path, root = merkle.inclusion_path(leaves[:size], index), merkle.root(leaves[:size])
    merkle.verify_inclusion(leaves[index], index, size, path, root)
    assert len(path) == merkle.inclusion_path_length(index, size)
    stated = {"index": str(index), "size": str(size), "leaf": leaves[index].hex()}
    return {**stated, **numbered("path", [each.hex() for each in path]), "root": root.hex()}


def consistency(given: Example) -> Example:
    leaves, size1, size2 = tree_leaves(), int(given["size1"]), int(given["size2"])
    path = merkle.consistency_path(leaves[:size2], size1)
    root1, root2 = merkle.root(leaves[:size1]), merkle.root(leaves[:size2])
    merkle.verify_consistency(size1, size2, path, root1, root2)
    assert len(path) == merkle.consistency_path_length(size1, size2)
    return {
        "size1": str(size1),
        "size2": str(size2),
        **numbered("path", [each.hex() for each in path]),
        "root1": root1.hex(),
        "root2": root2.hex(),
    }


def packed(function: str, values: list[int]) -> str:
    """The slot of the struct that a function returns: its members from the lowest byte."""
    abi = next(item for item in artifact()["abi"] if item.get("name") == function)
    bits = [int(re.sub(r"\D", "", member["type"])) for member in abi["outputs"][0]["components"]]
    slot = sum(v << sum(bits[:place]) for place, v in enumerate(values))
    return f"{slot:064x}"


def in_mapping(slot: int, outer: bytes, inner: bytes) -> str:
    return keccak(inner + keccak(outer + slot.to_bytes(32, "big"))).hex()


def storage(given: Example) -> Example:
    slots = {each["label"]: each["slot"] for each in artifact()["storageLayout"]}
    assert [slots[each] for each in ("_log", "_peaks", "_policies", "_acts")] == [0, 1, 65, 66]
    made, account = the_entry(), bytes.fromhex(EXAMPLES["entry"]["registrar"]).rjust(32, b"\0")
    code, state = encode_code(made.authority), [1, made.sequence, made.index, made.recorded_at]
    return {
        "slot 0 of a log of 5": f"{5:064x}",
        "slot of the policy": in_mapping(slots["_policies"], code, made.number),
        "value of the policy": packed("policy", state),
        "slot of the registrar": in_mapping(slots["_acts"], code, account),
        "value of the registrar": packed("authorityAct", [1, 3]),
    }


def topics(given: Example) -> Example:
    known = {events.RECORDED, events.MANIFEST_PUBLISHED, events.CHECKPOINT}
    assert {"0x" + each for each in given.values()} == known
    emitted = {
        f"{item['name']}({','.join(each['type'] for each in item['inputs'])})"
        for item in artifact()["abi"]
        if item["type"] == "event"
    }
    assert set(given) <= emitted
    return {signature: keccak(signature.encode()).hex() for signature in given}


def logs(given: Example) -> Example:
    """The events of a transaction that appended the page's entry as the log's first five."""
    made, content = the_entry(), EXAMPLES["manifest"]["bytes"].encode()
    root = merkle.root(tree_leaves())
    head = b"".join(bytes.fromhex(given[f"manifest data {n}"]) for n in (0, 1))
    index = bytes.fromhex(given["recorded topic 1"])
    parts = [
        ([events.RECORDED, "0x" + index.hex()], made.encode()[32:]),
        (
            [events.MANIFEST_PUBLISHED, "0x" + given["manifest topic 1"]],
            head + content + bytes(-len(content) % 32),
        ),
        ([events.CHECKPOINT], bytes.fromhex(given["checkpoint data 0"]) + root),
    ]
    hash_ = "0x" + "11" * 32
    decoded = events.decode_logs(
        (
            {
                "address": "0x" + "22" * 20,
                "topics": each,
                "data": "0x" + data.hex(),
                "blockNumber": "0x1",
                "logIndex": hex(place),
                "blockHash": hash_,
                "transactionHash": hash_,
            }
            for place, (each, data) in enumerate(parts)
        ),
        Address(b"\x22" * 20),
    )
    recorded, checkpoint = decoded
    assert isinstance(recorded, Recorded)
    assert (recorded.entry, recorded.leaf, recorded.manifest) == (made, made.leaf_hash(), content)
    assert not isinstance(checkpoint, Recorded)
    assert (checkpoint.size, checkpoint.root) == (5, root)
    return {
        "recorded topic 1": made.encode()[:32].hex(),
        "manifest topic 1": sha256(content).hex(),
        "manifest data 0": f"{32:064x}",
        "manifest data 1": f"{len(content):064x}",
        "checkpoint data 0": f"{5:064x}",
        "checkpoint data 1": root.hex(),
    }


def components(name: str) -> list[dict[str, Any]]:
    """The members of the structs that record() takes."""
    abi = next(item for item in artifact()["abi"] if item.get("name") == name)
    return list(abi["inputs"][0]["components"])


def eip712(given: Example) -> Example:
    made = the_entry()
    members = [{"name": each["name"], "type": each["type"]} for each in components("record")]
    one = f"Submission({','.join(each['type'] + ' ' + each['name'] for each in members)})"
    many = f"Submissions(address registrar,uint64 deadline,Submission[] submissions){one}"
    code = artifact()["deployedBytecode"]
    assert keccak(one.encode()).hex() in code
    assert keccak(many.encode()).hex() in code
    assert b"PolicyRegistry".hex() in artifact()["bytecode"]
    domain_type = {
        "name": "string",
        "version": "string",
        "chainId": "uint256",
        "verifyingContract": "address",
    }
    signed = encode_typed_data(
        full_message={
            "types": {
                "EIP712Domain": [{"name": n, "type": t} for n, t in domain_type.items()],
                "Submission": members,
                "Submissions": [
                    {"name": "registrar", "type": "address"},
                    {"name": "deadline", "type": "uint64"},
                    {"name": "submissions", "type": "Submission[]"},
                ],
            },
            "primaryType": "Submissions",
            "domain": {
                "name": "PolicyRegistry",
                "version": "1",
                "chainId": int(given["chainId"]),
                "verifyingContract": "0x" + given["verifyingContract"],
            },
            "message": {
                "registrar": "0x" + made.registrar.hex(),
                "deadline": int(given["deadline"]),
                "submissions": [
                    {
                        "authority": encode_code(made.authority),
                        "number": made.number,
                        "sequence": made.sequence,
                        "action": int(made.action),
                        "effectiveOn": made.effective_on,
                        "document": made.document,
                        "manifest": made.manifest,
                    }
                ],
            },
        }
    )
    return {
        "Submission": keccak(one.encode()).hex(),
        "Submissions": keccak(many.encode()).hex(),
        "chainId": given["chainId"],
        "verifyingContract": given["verifyingContract"],
        "deadline": given["deadline"],
        "domain separator": signed.header.hex(),
        "message": signed.body.hex(),
        "digest": keccak(b"\x19\x01" + signed.header + signed.body).hex(),
    }


def manifest(given: Example) -> Example:
    content = given["bytes"].encode()
    assert read(the_entry(), content).state is ManifestState.PRESENT
    assert read(the_entry(), content).problem is None
    fields = dict(manifests.parse(content).fields)
    return {"bytes": manifests.canonical(fields).decode(), "sha256": sha256(content).hex()}


def profile(given: Example) -> Example:
    content = given["bytes"].encode()
    names = manifests.profile_names(content)
    return {
        "bytes": manifests.profile("CN.GD.SHENZHEN", names).decode(),
        "sha256": sha256(content).hex(),
    }


def snapshot(given: Example) -> Example:
    content = EXAMPLES["manifest"]["bytes"].encode()
    made = filtered_row(policy_history([Logged(the_entry(), content)]), Filters())
    assert made is not None
    checkpoint = Checkpoint(
        chain="eip155:1",
        contract="eip155:1:0x" + "11" * 20,
        size=5,
        root=merkle.root(tree_leaves()),
        block=BlockNumber(100),
        block_hash=b"\2" * 32,
    )
    lines = [ndjson_line(header(checkpoint, Filters(), 1)), ndjson_line(made)]
    comma = [csv_line(COLUMNS), csv_line([made.get(name) for name in COLUMNS])]
    assert all(line.endswith(b"\n") for line in lines)
    assert all(line.endswith(b"\r\n") for line in comma)
    return {
        **numbered("ndjson line", [line.decode().rstrip("\n") for line in lines], 1),
        "ndjson sha256": sha256(b"".join(lines)).hex(),
        **numbered("csv line", [line.decode().rstrip("\r\n") for line in comma], 1),
        "csv sha256": sha256(b"".join(comma)).hex(),
    }


def log_export(given: Example) -> Example:
    content = EXAMPLES["manifest"]["bytes"].encode()
    place = Place(BlockNumber(100), b"\2" * 32, b"\3" * 32, 0)
    shown = the_entry()
    checkpoint = Checkpoint(
        chain="eip155:1",
        contract="eip155:1:0x" + "11" * 20,
        size=5,
        root=merkle.root(tree_leaves()),
        block=place.block,
        block_hash=place.block_hash,
    )
    lines = {
        1: header_line(LogHeader(checkpoint, BlockNumber(90))),
        6: entry_line(Recorded(shown, shown.leaf_hash(), place, content)),
    }
    return {f"ndjson line {at}": line.decode().rstrip("\n") for at, line in lines.items()}


def clause_lists(given: Example) -> Example:
    clauses = [Clause(given[f"label {n}"], given[f"text {n}"]) for n in range(2)]
    hashes = [each.hashed() for each in clauses]
    lines = list_file.lists_file(1, [list_file.Listed(clauses_root(hashes), hashes)])
    said = {key: value for key, value in given.items() if not key.startswith("line ")}
    shown = {f"line {at}": line.decode().rstrip("\n") for at, line in enumerate(lines, 1)}
    return {**said, **shown}


def in_force(given: Example) -> Example:
    acts = []
    for key in (each for each in given if each.startswith("act ")):
        action, date, recorded, expires = re.split(r",? (?:from|recorded|until) ", given[key])
        acts.append(
            Act(
                EntryIndex(int(key.removeprefix("act "))),
                Action[action.upper()],
                None if date == "none" else parse_day(date),
                UnixSeconds(parse_day(recorded) * 86_400),
                None if expires == "none" else parse_day(expires),
            )
        )
    shown = {key: given[key] for key in given if key.startswith("act ")}
    for each in timeline(acts).intervals:
        since = "the beginning" if each.since == FIRST_DAY else iso_date(each.since)
        shown[f"from {since}"] = (
            f"{each.standing}, document of act {each.document}, version {each.version}"
        )
    return shown


def tile_places(given: Example) -> Example:
    shown = {}
    for key in given:
        if named := re.fullmatch(r"tile (\d+) of level (\d), (full|(\d+) hashes)", key):
            tile = TileId(int(named[2]), int(named[1]))
            shown[key] = tiles.path(tile, int(named[4] or tiles.WIDTH))
        elif held := re.fullmatch(r"hashes of tile (\d+) of level (\d) in a log of (\d+)", key):
            shown[key] = str(tiles.width(TileId(int(held[2]), int(held[1])), int(held[3])))
    return shown


def signed_act(given: Example) -> Example:
    """The page's entry, signed with the key of its registrar: the first of the development keys."""
    made, domain = the_entry(), EXAMPLES["eip712"]
    content = EXAMPLES["manifest"]["bytes"].encode()
    submission = Submission(
        PolicyKey(made.authority, made.number), made.sequence, made.action, made.effective_on,
        made.document, sha256(content), content,
    )  # fmt: skip
    acts = ActsToSign(
        int(domain["chainId"]),
        Address(bytes.fromhex(domain["verifyingContract"])),
        made.registrar,
        UnixSeconds(int(domain["deadline"])),
        (submission,),
    )
    signature = LocalSigner(bytes.fromhex(DEV_KEYS[0][2:])).sign_typed_data(acts)
    file = write_signed_act(SignedAct(acts, signature))
    assert read_signed_act(file) == SignedAct(acts, signature)
    assert digest_of(acts).hex() == domain["digest"]
    assert [name for name, _ in table("signed act's key")] == list(orjson.loads(file))
    return {
        "typed_data": orjson.dumps(acts.typed_data()).decode(),
        "id": digest_of(acts).hex(),
        "signature": signature.hex(),
    }


CHECKS: dict[str, Callable[[Example], Example]] = {
    "authority": authority,
    "policy": policy,
    "number-nfc": number_nfc,
    "document": document,
    "entry": entry,
    "entry-words": entry_words,
    "tree": tree,
    "inclusion": inclusion,
    "consistency": consistency,
    "storage": storage,
    "topics": topics,
    "logs": logs,
    "eip712": eip712,
    "manifest": manifest,
    "profile": profile,
    "snapshot": snapshot,
    "tiles": tile_places,
    "log-export": log_export,
    "in-force": in_force,
    "signed-act": signed_act,
    "clause-lists": clause_lists,
}


@pytest.mark.parametrize("name", CHECKS)
def test_an_example_is_what_the_code_makes_of_it(name: str) -> None:
    given = EXAMPLES[name]
    assert list(given.items()) == list(CHECKS[name](given).items())


def test_every_example_has_its_check_and_nothing_else_is_hexadecimal() -> None:
    assert len(_BLOCK.findall(PAGE)) == len(EXAMPLES)
    assert set(EXAMPLES) == set(CHECKS)
    assert PAGE.count("```example") == len(EXAMPLES)
    prose = _BLOCK.sub("", PAGE)
    assert not re.findall(r"\b(?:0x)?(?=[0-9a-fA-F]*[a-f])[0-9a-fA-F]{8,}\b", prose)


# The tables


def table(heading: str) -> list[list[str]]:
    """The rows of the table whose first column has this heading, without the heading."""
    lines = PAGE.splitlines()
    start = next(n for n, line in enumerate(lines) if line.startswith(f"| {heading} |"))
    rows: list[list[str]] = []
    for line in lines[start + 2 :]:
        if not line.startswith("|"):
            return rows
        rows.append([cell.strip().replace("`", "") for cell in line.strip("|").split("|")])
    return rows


def test_actions_and_statuses_have_their_numbers() -> None:
    assert {(int(n), word) for n, word, *_ in table("action")} == {
        (int(each), each.word) for each in Action
    }
    assert {(int(n), word) for n, word, *_ in table("status")} == {
        (int(each), each.word) for each in Status
    }


def test_transitions_are_the_lifecycles() -> None:
    found = {
        Action[word.upper()]: (
            frozenset(Status[each.upper()] for each in starts.split(", ")),
            Status[after.upper()],
        )
        for word, starts, after, _ in table("act")
    }
    assert found == TRANSITIONS
    carried = {word for word, _, _, brings in table("act") if brings == "required"}
    assert carried == {each.word for each in Action if each.carries_document}


def test_the_words_of_an_entry_are_its_events() -> None:
    event = next(item for item in artifact()["abi"] if item.get("name") == "Recorded")
    inputs = [(str(n * 32), each["name"], each["type"]) for n, each in enumerate(event["inputs"])]
    assert [(offset, name, kind) for _, offset, name, kind, *_ in table("word")] == inputs


def test_columns_relations_and_states_are_all_there() -> None:
    assert [name for name, *_ in table("column")] == list(COLUMNS)
    assert {name for name, *_ in table("state")} == {each.value for each in ManifestState}
    listed = re.search(r"^type: one of (.*?)\.$", PAGE, re.MULTILINE | re.DOTALL)
    assert listed is not None
    assert set(re.findall(r"`(\w+)`", listed.group(1))) == manifests.RELATION_TYPES


def test_limits_are_the_codes() -> None:
    prose = " ".join(PAGE.split())
    for said in (
        f"at most {MAX_CODE_LENGTH} ASCII characters",
        f"at most {MAX_NUMBER_BYTES} bytes of UTF-8",
        f"{ENTRY_SIZE} bytes",
        f"at most {manifests.MAX_INLINE_BYTES} bytes",
        f"deeper than {MAX_DEPTH} levels",
        f"`{manifests.LANGUAGE.pattern}`",
        f"`{manifests.SCHEMA}`",
        f"`{manifests.PROFILE_SCHEMA}`",
        f"`{list_file.SCHEMA}`",
        f"at most {list_file.MAX_LINE:,} bytes",
        f"{list_file.GROUP} a line",
        f"`{SALTS_SCHEMA}`",
        f"`profile` (`{PROFILE}`)",
        f"`{LOG_SCHEMA}`",
        f"a line has at most {MAX_LINE >> 20} MiB",
        f"`{signed_acts.SCHEMA}`",
        f"at most {signed_acts.MAX_BYTES} bytes",
        f"up to {signed_acts.MAX_SIGNATURE_BYTES} bytes",
        f"`{KIT_SCHEMA}`",
    ):
        assert said in prose, said
