"""One tree of errors. The core, the adapters and the services raise these; only the
command line and the API turn them into exit codes and problem+json.

    RegistryError
    ├── InputError            what was given is wrong; trying again changes nothing   (exit 2)
    │   └── NotFound          what was asked for by name is not in the registry
    ├── Rejected              the contract or the node refused the act                (exit 1)
    │   ├── LimitReached      too many for now; later it may be taken
    │   └── PlaceTaken        an act is recorded in this one's place: this one, or another
    ├── NotVerified           a check ran to its end and failed                       (exit 1)
    │   └── ProofError        a step of a proof failed; carries the step's number
    ├── CouldNotCheck         no answer could be had: never to be shown as "false"    (exit 3)
    │   ├── Unavailable       an outside service failed in passing; worth a retry
    │   ├── UnknownOutcome    something was sent and its fate is not known
    │   ├── Inconsistent      a node or a stored copy contradicts itself or the chain
    │   └── UnreadableText    a file's text could not be had; its bytes are checked all the same
    └── LocalFailure          this machine's store, disk or lock is in the way         (exit 3)

Every error says what is wrong (`str(error)`) and, where something can be done,
what to do (`error.hint`). None of them carries a secret.
"""

from __future__ import annotations


class RegistryError(Exception):
    """Base of every error this project raises on purpose."""

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.hint = hint


class InputError(RegistryError):
    """A value, a file or a setting that was given is wrong."""


class NotFound(InputError):
    """What was asked for is not in the registry, as of the block that was read."""


class Rejected(RegistryError):
    """The contract or the node refused an act, and says why."""


class LimitReached(Rejected):
    """More was asked for than one may ask for in so short a time."""


class PlaceTaken(Rejected):
    """The contract has an act in the place of the one that it refused."""


class NotVerified(RegistryError):
    """A check ran to its end and the answer is no."""


class ProofError(NotVerified):
    """A proof failed at a numbered step."""

    def __init__(self, step: int, message: str, *, hint: str | None = None) -> None:
        super().__init__(f"step {step}: {message}", hint=hint)
        self.step = step


class CouldNotCheck(RegistryError):
    """No answer could be had. Absence of an answer is not an answer."""


class _Faulted(CouldNotCheck):
    """Says which kind of fault it was, in a word of core.following.Fault: for metrics, and
    for whoever decides whether to ask again or to ask another node."""

    def __init__(self, message: str, *, hint: str | None = None, fault: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.fault = fault


class Unavailable(_Faulted):
    """An outside service did not answer, or not sensibly; a retry may succeed."""


class UnknownOutcome(CouldNotCheck):
    """A transaction was sent and whether it landed is not known yet."""


class Inconsistent(_Faulted):
    """A node or a stored copy contradicts itself, the contract or the chain."""


class UnreadableText(CouldNotCheck):
    """What a file says could not be read: it is broken, hostile, encrypted, a picture. Says the
    file and the cause. What is known of its bytes stands."""


class LocalFailure(RegistryError):
    """This machine's store, disk or lock is in the way."""
