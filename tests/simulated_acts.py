"""Acts chosen at random that the simulated contract takes at this moment."""

from __future__ import annotations

from random import Random

from registry.core.entry import Action
from tests.simulated_blocks import Transaction
from tests.simulated_chain import Chain
from tests.simulated_contract import AUTHORITY, FOUNDING, Act, Contract, Refused

_POLICIES = 6
_ACCOUNTS = 3
_ON_AUTHORITIES = (
    Action.APPOINT_REGISTRAR,
    Action.DISMISS_REGISTRAR,
    Action.APPOINT_CONTROLLER,
    Action.DISMISS_CONTROLLER,
    Action.SET_PROFILE,
    Action.OPEN_AUTHORITY,
    Action.REPORT_COMPROMISE,
)


def random_transaction(contract: Contract, random: Random) -> Transaction:
    """One to four acts that may follow in this order. Few policies and accounts, so that
    acts on the same ones follow each other."""
    acts: list[Act] = []
    wanted = random.choice((1, 1, 2, 4))
    while len(acts) < wanted:
        act = _act(contract, random)
        try:
            contract, _ = contract.after([act], 0)
        except Refused:
            continue
        acts.append(act)
    return Transaction(tuple(acts), random.getrandbits(64))


def _act(contract: Contract, random: Random) -> Act:
    if random.random() < 0.25:
        action = random.choice(_ON_AUTHORITIES)
        account = f"account {random.randrange(_ACCOUNTS)}"
        if action is Action.OPEN_AUTHORITY:
            return Act(action, f"{AUTHORITY}.A{random.randrange(100)}", account)
        return Act(action, AUTHORITY, account, with_manifest=random.random() < 0.7)
    number = f"府〔2020〕{random.randrange(_POLICIES)}号"
    action = random.choice(contract.may_follow(number))
    sequence = contract.next_sequence(number)
    return Act(action, AUTHORITY, number, sequence, with_manifest=random.random() < 0.7)


def replace_blocks(chain: Chain, depth: int, random: Random) -> None:
    """A reorganisation of up to `depth` blocks, none of them final: others take their place,
    one fewer or some more. Most of the transactions come again, in other blocks and in another
    order; some never do, others are new. What made the registry always comes first."""
    depth = min(depth, chain.head.number - chain.finalized)
    if depth < 1:
        return
    gone = chain.rollback(depth)
    founding = [each for each in gone if each.acts == FOUNDING]
    waiting = [each for each in gone if each not in founding and random.random() < 0.8]
    random.shuffle(waiting)
    chain.mine(*founding)
    for _ in range(depth + random.choice((-2, -1, 0, 0, 1))):
        sent = [waiting.pop() for _ in range(min(len(waiting), random.choice((0, 1, 2))))]
        if random.random() < 0.2:
            sent.append(random_transaction(chain.head.contract, random))
        # What comes before another act that it needs waits for a later block.
        waiting += chain.mine(*sent)
        random.shuffle(waiting)
