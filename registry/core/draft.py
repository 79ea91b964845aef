"""From what a registrar says of a document to the submission the contract takes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from registry.core import manifest as manifests
from registry.core.authority import check_code
from registry.core.calendar import iso_date
from registry.core.digest import EMPTY_FILE_DIGEST, sha256
from registry.core.entry import Action
from registry.core.joint import ISSUED_WITH
from registry.core.jurisdiction import of_authority
from registry.core.lifecycle import PolicyState, check
from registry.core.policy import PolicyKey, check_number, policy_key
from registry.core.submission import Submission
from registry.core.units import Day, Digest
from registry.errors import InputError

if TYPE_CHECKING:
    from registry.core.text.clauses import TextRecord


@dataclass(frozen=True, slots=True)
class FileDescription:
    """A file of a version, as its manifest describes it. `size` is None where there is no file:
    the root of a collection."""

    sha256: Digest
    size: int | None
    name: str | None = None
    media_type: str | None = None
    language: str | None = None

    def fields(self) -> dict[str, Any]:
        values = {
            "sha256": self.sha256.hex(),
            "size": self.size,
            "name": self.name,
            "media_type": self.media_type,
            "language": self.language,
        }
        return {key: value for key, value in values.items() if value is not None}


@dataclass(frozen=True, slots=True)
class Draft:
    """One act as a person states it. `extra` holds further manifest keys."""

    action: Action
    authority: str
    number: str
    title: Mapping[str, str]
    document: FileDescription | None = None
    renditions: Sequence[FileDescription] = ()
    type: str | None = None
    issued: Day | None = None
    effective_from: Day | None = None
    effective_to: Day | None = None
    relations: Sequence[Mapping[str, str]] = ()
    reason: str | None = None
    source: str | None = None
    jurisdiction: str | None = None
    issued_with: Sequence[str] = ()
    text: TextRecord | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)

    @property
    def key(self) -> PolicyKey:
        return policy_key(check_code(self.authority), self.number)

    @property
    def called(self) -> str:
        """The policy in words."""
        return f"{self.authority} {self.number}"

    def manifest(self) -> bytes:
        """The manifest's canonical bytes; raises InputError."""
        values: dict[str, Any] = {
            "schema": manifests.SCHEMA,
            "authority": check_code(self.authority),
            "number": check_number(self.number),
            "action": self.action.word,
            "title": {language: text for language, text in self.title.items() if text},
            "type": self.type,
            "jurisdiction": self.jurisdiction or of_authority(self.authority),
            "issued": None if self.issued is None else iso_date(self.issued),
            "effective_from": (
                None if self.effective_from is None else iso_date(self.effective_from)
            ),
            "effective_to": None if self.effective_to is None else iso_date(self.effective_to),
            "document": self.document.fields() if self.document else None,
            "renditions": [each.fields() for each in self.renditions] or None,
            "text": self.text.fields() if self.text else None,
            "relations": [dict(each) for each in self.relations] or None,
            "reason": self.reason,
            "source": self.source,
            ISSUED_WITH: self._co_issuers() or None,
        }
        kept = {key: value for key, value in values.items() if value is not None}
        try:
            return manifests.canonical({**self.extra, **kept})
        except InputError as error:
            message = f"the manifest of {self.called} can not be written: {error}"
            raise InputError(message, hint=error.hint) from None

    def _co_issuers(self) -> list[str]:
        """The authorities that the lead names beside itself, each once."""
        if self.authority in self.issued_with:
            raise InputError(f"{self.authority} leads the joint issue: name the others alone")
        return [check_code(each) for each in dict.fromkeys(self.issued_with)]

    def submission(self, state: PolicyState, *, digest_only: bool = False) -> Submission:
        """What to hand to the contract, whose state of the policy is `state`.

        Raises InputError for a draft that is wrong in itself and Rejected for one that
        the policy's status does not permit.
        """
        self._check_document()
        check(state, self.action, self.called)
        content = self.manifest()
        applies = self.issued if self.effective_from is None else self.effective_from
        return Submission(
            policy=self.key,
            sequence=state.sequence + 1,
            action=self.action,
            effective_on=applies,
            document=self.document.sha256 if self.document else None,
            manifest=sha256(content),
            content=b"" if digest_only else content,
        )

    def _check_document(self) -> None:
        if self.action.carries_document != (self.document is not None):
            needed = "needs" if self.action.carries_document else "takes no"
            raise InputError(f"{self.action.word} {needed} document")
        if self.document is not None and self.document.sha256 == EMPTY_FILE_DIGEST:
            raise InputError(
                f"the document {self.document.name or ''} is empty", hint="give the document itself"
            )
