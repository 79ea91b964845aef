"""Edit the contract in many small ways, and see whether the tests notice each of them.

    python scripts/mutate.py                          all edits; several hours
    python scripts/mutate.py --listed                 those listed in scripts/mutants/*.toml
    python scripts/mutate.py --file Lifecycle.sol     those of one file
    python scripts/mutate.py --match 'any sequence'   those whose words or texts contain this
    python scripts/mutate.py --invariants             which of them the invariants alone notice

Prints JSON: what became of each edit and by which test, and counts. Exit code 1 if the tests
do not notice one, if one that is listed does not compile, or if they notice one that is listed
as equivalent. Those made by rule that do not compile are not counted.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from pathlib import Path
from queue import SimpleQueue

from scripts.mutants.edits import ListError, Mutant, by_rule, listed
from scripts.mutants.trial import Fate, Outcome, TrialError, Workshop

Tried = tuple[Mutant, Outcome]


def main() -> int:
    arguments = _arguments()
    try:
        mutants = listed() if arguments.listed else [*listed(), *by_rule()]
        chosen = [mutant for mutant in mutants if _is_chosen(mutant, arguments)]
        results = list(_try_all(chosen, arguments.jobs, only_invariants=arguments.invariants))
    except (ListError, TrialError) as error:
        print(error, file=sys.stderr)
        return 2
    print(json.dumps(_report(results), indent=2, ensure_ascii=False))
    return 1 if any(_is_wrong(*tried) for tried in results) else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--listed", action="store_true", help="none of those made by rule")
    parser.add_argument("--file", action="append", help="a file of contracts/, or several")
    parser.add_argument("--match", default="", help="a part of what it breaks or of its texts")
    parser.add_argument("--invariants", action="store_true", help="run no other tests")
    parser.add_argument("--jobs", type=int, default=1, help="how many at a time")
    return parser.parse_args()


def _is_chosen(mutant: Mutant, arguments: argparse.Namespace) -> bool:
    texts = (mutant.breaks, mutant.before, mutant.after)
    named = any(arguments.match in text for text in texts)
    return named and (arguments.file is None or mutant.file in arguments.file)


def _try_all(mutants: Iterable[Mutant], jobs: int, *, only_invariants: bool) -> Iterator[Tried]:
    """In the order given. Each job has a folder of its own, in which all tests passed first."""
    idle: SimpleQueue[Workshop] = SimpleQueue()

    def tried(mutant: Mutant) -> Tried:
        workshop = idle.get()
        try:
            outcome = workshop.outcome_of(mutant, only_invariants=only_invariants)
        finally:
            idle.put(workshop)
        what = mutant.breaks if mutant.listed else f"{mutant.before} -> {mutant.after or 'nothing'}"
        said = f"{outcome.fate}: {mutant.file}:{mutant.line} {what} ({outcome.by})"
        print(said, file=sys.stderr, flush=True)
        return mutant, outcome

    with ExitStack() as stack:
        for _ in range(jobs):
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="mutants-"))
            idle.put(stack.enter_context(closing(Workshop(Path(folder)))))
        yield from stack.enter_context(ThreadPoolExecutor(jobs)).map(tried, mutants)


def _is_wrong(mutant: Mutant, outcome: Outcome) -> bool:
    match outcome.fate:
        case Fate.SURVIVED:
            return True
        case Fate.NOT_COMPILED:
            return mutant.listed
        case Fate.KILLED:
            return mutant.equivalent is not None
        case Fate.EQUIVALENT:
            return False


def _report(results: list[Tried]) -> dict[str, object]:
    return {
        "counts": {
            kind: Counter(outcome.fate for mutant, outcome in results if mutant.listed is is_listed)
            for kind, is_listed in (("listed", True), ("by rule", False))
        },
        "killed by": Counter(o.by.partition(".")[0] for _, o in results if o.by).most_common(),
        "wrong": [_line(*tried) for tried in results if _is_wrong(*tried)],
        "mutants": [_line(*tried) for tried in results],
    }


def _line(mutant: Mutant, outcome: Outcome) -> dict[str, object]:
    return {
        "file": mutant.file,
        "line": mutant.line,
        "breaks": mutant.breaks,
        "before": mutant.before,
        "after": mutant.after,
        "fate": outcome.fate,
        "by": outcome.by,
        "equivalent": mutant.equivalent,
    }


if __name__ == "__main__":
    sys.exit(main())
