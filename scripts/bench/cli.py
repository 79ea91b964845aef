"""User CPU of the command line beside its libraries' bare imports, as JSON.

    python scripts/bench/cli.py

`polreg --help` beside `import typer`; `polreg verify FILE` beside `import typer` and
`import sqlalchemy` added. Goals: at most 1.5 times each.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

from measure import interleaved, median, run

from registry.config import Settings
from registry.demo.catalogue import document, policies
from registry.services.demo import open_demo_authorities, publish_demo
from registry.services.setup import development_signer, initialise
from registry.services.workspace import Workspace

ROUNDS = 11


def main() -> None:
    polreg = str(Path(sys.executable).with_name("polreg"))
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        file = _registry(home)
        environment = {"POLREG_HOME": str(home)}
        checked = run([polreg, "verify", str(file)], environment)
        if checked.code != 0:
            raise SystemExit(f"polreg verify ended with {checked.code}")
        found = interleaved(
            ROUNDS,
            {
                "help": lambda: run([polreg, "--help"]).user,
                "import_typer": lambda: run([sys.executable, "-c", "import typer"]).user,
                "verify": lambda: run([polreg, "verify", str(file)], environment).user,
                "import_sqlalchemy": lambda: run([sys.executable, "-c", "import sqlalchemy"]).user,
            },
        )
    seconds = {name: median(values) for name, values in found.items()}
    both = [a + b for a, b in zip(found["import_typer"], found["import_sqlalchemy"], strict=True)]
    print(
        json.dumps(
            {
                "rounds": ROUNDS,
                "user_seconds": seconds,
                "help_beside_typer": {
                    "ratio": median(
                        [a / b for a, b in zip(found["help"], found["import_typer"], strict=True)]
                    ),
                    "goal": 1.5,
                },
                "verify_beside_typer_and_sqlalchemy": {
                    "ratio": median([a / b for a, b in zip(found["verify"], both, strict=True)]),
                    "goal": 1.5,
                },
            },
            indent=2,
        )
    )


def _registry(home: Path) -> Path:
    """The demonstration's registry in `home`; returns a file that is in force."""
    from registry.chain.sender import Sender

    settings = Settings(home=home)
    initialise(settings)
    with Workspace(settings) as opened:
        sender = Sender(opened.transport, development_signer(settings))
        open_demo_authorities(opened.client, sender)
        publish_demo(opened.client, sender)
        opened.sync()
    file = home / "document.md"
    file.write_bytes(document(policies()[0].document_name))
    return file


if __name__ == "__main__":
    main()
