"""A worker of the tests: records its share of documents, as a process of its own that may be
killed at any moment. `python -m tests.integration.outbox_worker FIRST LAST`, with settings in the
environment; it ends with 0 when all of its share is in blocks."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from registry.config import settings_from
from registry.core.draft import Draft
from registry.core.entry import Action
from registry.core.lifecycle import UNPUBLISHED
from registry.core.outbox import Stage
from registry.core.submission import Submission
from registry.core.units import Day
from registry.services.hashing import describe_file
from registry.services.setup import outbox_for
from registry.services.workspace import Workspace

BATCH = 5


def submission(path: Path, number: int) -> Submission:
    return Draft(
        action=Action.PUBLISH,
        authority="CN",
        number=f"{number}号",
        title={"zh": path.stem},
        document=describe_file(str(path), "zh"),
        issued=Day(18_000),
    ).submission(UNPUBLISHED)


def files(folder: Path) -> list[Path]:
    return sorted(folder.iterdir())


def main() -> None:
    first, last = int(sys.argv[1]), int(sys.argv[2])
    listed = files(Path(os.environ["POLREG_TEST_DOCUMENTS"]))[first:last]
    acts = [submission(path, number) for number, path in enumerate(listed, first)]
    with Workspace(settings_from(os.environ)) as opened:
        opened.sync()
        outbox = outbox_for(opened, lambda _: "", batch=BATCH)
        called = [f"CN {number}号" for number in range(first, last)]
        ended = outbox.drive(outbox.stage(acts, called))
    refused = [act for act in ended if act.stage is Stage.REJECTED]
    for act in refused:
        sys.stderr.write(f"{act.called}: {act.reason}\n")
    sys.exit(5 if refused else 0)


if __name__ == "__main__":
    main()
