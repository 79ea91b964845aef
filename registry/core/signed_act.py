"""A signed act: what a registrar signs on one machine and anybody may send from another.

What is signed is an EIP-712 message: chain, contract, registrar, deadline and the acts, each
with the digest of its manifest. The file holds the message as wallets take it, the manifests'
bytes and the signature. It is read strictly: what is not exactly this message is refused, so that
nobody signs or relays something else under its name. Whether the signature is right is for
`chain.typed_data` to say: it takes Keccak. No IO.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from registry.core import strict_json
from registry.core.authority import decode_code, encode_code
from registry.core.calendar import NO_DATE
from registry.core.digest import ZERO_DIGEST, sha256
from registry.core.entry import Action
from registry.core.policy import PolicyKey
from registry.core.strict_fields import closed_object, hexadecimal, whole_number
from registry.core.submission import Submission
from registry.core.units import Address, Day, Digest, UnixSeconds
from registry.errors import InputError

SCHEMA = "policy-registry/signed-act/1"
MAX_BYTES = 256 * 1024
"""More than a transaction may carry."""

MAX_SIGNATURE_BYTES = 4096
"""Of an account it has 65; what a wallet accepts is its own affair."""

DOMAIN_NAME, DOMAIN_VERSION = "PolicyRegistry", "1"
DOMAIN: tuple[tuple[str, str], ...] = (
    ("name", "string"),
    ("version", "string"),
    ("chainId", "uint256"),
    ("verifyingContract", "address"),
)
SUBMISSION: tuple[tuple[str, str], ...] = (
    ("authority", "bytes32"),
    ("number", "bytes32"),
    ("sequence", "uint32"),
    ("action", "uint8"),
    ("effectiveOn", "int32"),
    ("document", "bytes32"),
    ("manifest", "bytes32"),
)
SUBMISSIONS: tuple[tuple[str, str], ...] = (
    ("registrar", "address"),
    ("deadline", "uint64"),
    ("submissions", "Submission[]"),
)
_TYPES = {"EIP712Domain": DOMAIN, "Submission": SUBMISSION, "Submissions": SUBMISSIONS}
_INT32 = 2**31


@dataclass(frozen=True, slots=True)
class ActsToSign:
    """The acts, who is to sign them, until when that holds, and for which contract. `content`
    of a submission is not signed; its digest is."""

    chain_id: int
    contract: Address
    registrar: Address
    deadline: UnixSeconds
    submissions: tuple[Submission, ...]

    def typed_data(self) -> dict[str, Any]:
        """The EIP-712 message, as wallets and `eth_signTypedData_v4` take it."""
        return {
            "types": {
                name: [{"name": field, "type": kind} for field, kind in fields]
                for name, fields in _TYPES.items()
            },
            "primaryType": "Submissions",
            "domain": {
                "name": DOMAIN_NAME,
                "version": DOMAIN_VERSION,
                "chainId": self.chain_id,
                "verifyingContract": "0x" + self.contract.hex(),
            },
            "message": {
                "registrar": "0x" + self.registrar.hex(),
                "deadline": self.deadline,
                "submissions": [_words(each) for each in self.submissions],
            },
        }


@dataclass(frozen=True, slots=True)
class SignedAct:
    """Acts with the signature over them: 65 bytes of an account, or what a wallet accepts."""

    acts: ActsToSign
    signature: bytes


def write_signed_act(signed: SignedAct) -> bytes:
    """The file's bytes."""
    acts = signed.acts
    return orjson.dumps(
        {
            "schema": SCHEMA,
            "typed_data": acts.typed_data(),
            "manifests": [each.content.decode("utf-8") for each in acts.submissions],
            "signature": "0x" + signed.signature.hex(),
        },
        option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE,
    )


def read_signed_act(content: bytes) -> SignedAct:
    """What the file says; raises InputError for anything that is not exactly one."""
    if len(content) > MAX_BYTES:
        raise InputError(f"a signed act has at most {MAX_BYTES:,} bytes, this has more")
    try:
        return _read(strict_json.loads(content))
    except InputError as error:
        raise InputError(f"this is not a signed act: {error}", hint=error.hint) from None


def _read(value: Any) -> SignedAct:
    fields = closed_object(value, ("schema", "typed_data", "manifests", "signature"), "the file")
    if fields["schema"] != SCHEMA:
        raise InputError(f"its schema is not {SCHEMA}")
    signature = hexadecimal(fields["signature"], None, "signature", "0x")
    if len(signature) > MAX_SIGNATURE_BYTES:
        raise InputError(f"its signature has more than {MAX_SIGNATURE_BYTES} bytes")
    return SignedAct(_acts(fields["typed_data"], fields["manifests"]), signature)


def _acts(value: Any, manifests: Any) -> ActsToSign:
    typed = closed_object(value, ("types", "primaryType", "domain", "message"), "typed_data")
    domain = closed_object(typed["domain"], [name for name, _ in DOMAIN], "typed_data.domain")
    message = closed_object(
        typed["message"], [name for name, _ in SUBMISSIONS], "typed_data.message"
    )
    given = message["submissions"]
    if not isinstance(given, list) or not given:
        raise InputError("it holds no act")
    if not isinstance(manifests, list) or len(manifests) != len(given):
        raise InputError("manifests is not a list with one text for each act")
    acts = ActsToSign(
        chain_id=whole_number(domain["chainId"], "chainId"),
        contract=Address(hexadecimal(domain["verifyingContract"], 20, "verifyingContract", "0x")),
        registrar=Address(hexadecimal(message["registrar"], 20, "registrar", "0x")),
        deadline=UnixSeconds(whole_number(message["deadline"], "deadline")),
        submissions=tuple(
            _submission(each, content, f"submission {place}")
            for place, (each, content) in enumerate(zip(given, manifests, strict=True))
        ),
    )
    # Types, primary type, domain name and version can be one thing only; so can each word.
    if acts.typed_data() != typed:
        raise InputError("its typed_data is not the message that the registry's contract takes")
    return acts


def _submission(value: Any, content: Any, where: str) -> Submission:
    fields = closed_object(value, [name for name, _ in SUBMISSION], where)
    manifest = Digest(hexadecimal(fields["manifest"], 32, f"{where}.manifest", "0x"))
    document = Digest(hexadecimal(fields["document"], 32, f"{where}.document", "0x"))
    number = whole_number(fields["action"], f"{where}.action")
    if number not in {int(each) for each in Action if each.on_policy}:
        raise InputError(f"{where}.action is no act on a policy")
    if not isinstance(content, str):
        raise InputError(f"the manifest of {where} is not a text")
    try:
        written = content.encode("utf-8")
    except UnicodeEncodeError:
        raise InputError(f"the manifest of {where} is not UTF-8") from None
    if written and sha256(written) != manifest:
        raise InputError(f"the manifest of {where} has another SHA-256 than the one it names")
    return Submission(
        policy=PolicyKey(
            decode_code(hexadecimal(fields["authority"], 32, f"{where}.authority", "0x")),
            Digest(hexadecimal(fields["number"], 32, f"{where}.number", "0x")),
        ),
        sequence=_below(fields["sequence"], 2**32, f"{where}.sequence"),
        action=Action(number),
        effective_on=_day(fields["effectiveOn"], f"{where}.effectiveOn"),
        document=None if document == ZERO_DIGEST else document,
        manifest=manifest,
        content=written,
    )


def _day(value: Any, where: str) -> Day | None:
    if not isinstance(value, int) or isinstance(value, bool) or not -_INT32 <= value < _INT32:
        raise InputError(f"{where} is not a number of days")
    return None if value == NO_DATE else Day(value)


def _below(value: Any, end: int, where: str) -> int:
    number = whole_number(value, where)
    if number >= end:
        raise InputError(f"{where} is beyond what the contract counts")
    return number


def _words(submission: Submission) -> dict[str, Any]:
    return {
        "authority": "0x" + encode_code(submission.policy.authority).hex(),
        "number": "0x" + submission.policy.number_hash.hex(),
        "sequence": submission.sequence,
        "action": int(submission.action),
        "effectiveOn": submission.effective_word,
        "document": "0x" + (submission.document or ZERO_DIGEST).hex(),
        "manifest": "0x" + submission.manifest.hex(),
    }


def called(submissions: Sequence[Submission]) -> str:
    """The acts in words, as far as they can be said without what only a mirror knows."""
    first = submissions[0]
    number = _number(first)
    shown = f"{first.action.word} {first.policy.authority} {number}"
    return shown if len(submissions) == 1 else f"{shown} and {len(submissions) - 1} more"


def _number(submission: Submission) -> str:
    from registry.core.manifest import parse

    try:
        fields: Mapping[str, Any] = parse(submission.content).fields
        return str(fields["number"])
    except InputError:
        return submission.policy.policy_id.hex()[:16]
