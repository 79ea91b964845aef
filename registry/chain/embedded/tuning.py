"""What makes py-evm quick to import and quick to hash, without changing its answers.

py-evm's BLS12-381 precompiles (EIP-2537, addresses 0x0b to 0x11) bring py_ecc's curve
tables: 0.75 s, half the time of opening a chain, for something no contract here calls.
`defer_bls12_381` puts a stand-in in their place before py-evm is imported; its
functions import the real ones at their first call and give the same answers. Where
py-evm is imported already, or has moved the module, nothing is done.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any

_NAME = "eth.precompiles.bls12_381"


def defer_bls12_381() -> None:
    """Call before the first import of py-evm."""
    if "eth" in sys.modules or _NAME in sys.modules:
        return
    sys.modules[_NAME] = _Deferred(_NAME)


def prefer_fast_keccak() -> None:
    """Have eth-hash take pysha3 (600,000 hashes a second) before pycryptodome (107,000).

    Where the environment has chosen already, or a hash was made already, that stays.
    """
    if importlib.util.find_spec("sha3") is not None:
        os.environ.setdefault("ETH_HASH_BACKEND", "pysha3")


class _Deferred(ModuleType):
    def __getattr__(self, name: str) -> Callable[..., Any]:
        if not name.startswith("bls12_"):
            raise AttributeError(name)

        def precompile(*arguments: Any) -> Any:
            return getattr(_real(), name)(*arguments)

        return precompile


def _real() -> ModuleType:
    if isinstance(sys.modules.get(_NAME), _Deferred):
        del sys.modules[_NAME]
    return importlib.import_module(_NAME)
