"""The accounts of a history, by what they are mostly used for."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random

from tests.differential.accounts import Deployment, Person
from tests.differential.state import State


def _people(what: str, count: int) -> list[Person]:
    return [Person(f"{what} {number}") for number in range(1, count + 1)]


@dataclass
class Cast:
    """Fresh for each history: the people count their transactions."""

    deployer: Person = field(default_factory=lambda: Person("deployer"))
    admins: list[Person] = field(default_factory=lambda: _people("admin", 2))
    controllers: list[Person] = field(default_factory=lambda: _people("controller", 5))
    registrars: list[Person] = field(default_factory=lambda: _people("registrar", 6))
    strangers: list[Person] = field(default_factory=lambda: _people("stranger", 2))

    def __post_init__(self) -> None:
        self.deployment = Deployment.by(self.deployer.address)
        self.people = self.admins + self.controllers + self.registrars + self.strangers
        self.by_address = {each.address: each for each in [self.deployer, *self.people]}

    def anyone(self, rng: Random) -> bytes:
        return rng.choice(self.people).address

    def holder(self, rng: Random, state: State, role: bytes) -> bytes | None:
        """Someone who has the role and can send; None where nobody does."""
        holders = [each.address for each in self.people if (role, each.address) in state.roles]
        return rng.choice(holders) if holders else None
