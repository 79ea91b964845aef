"""A key in a file, encrypted with a password: the V3 keystore of Ethereum's clients.

Files are written with mode 0600 and whole or not at all. One that everybody may read, or that
others may write, is not used: whoever reads it may try passwords on it for as long as they like,
and whoever writes it may put another key there. That its group may read it, as where a service
manager hands it over, is noted in the log.
"""

from __future__ import annotations

import logging
import os
import secrets
import stat
from pathlib import Path

import orjson

from registry.chain.signers import LocalSigner
from registry.errors import InputError

# For a key that guards a development chain only; a real one is made by the user's own tool.
_DEVELOPMENT_SCRYPT_N = 4096

_log = logging.getLogger("polreg.keys")


def open_keystore(path: Path, password: str) -> LocalSigner:
    """Decrypt a V3 keystore file; raises InputError for a wrong file or password, or one that
    is not its owner's alone."""
    from eth_account import Account

    require_private(path)
    try:
        content = orjson.loads(path.read_bytes())
    except OSError as error:
        raise _unreadable(path, error) from None
    except orjson.JSONDecodeError:
        raise InputError(f"{path} is not a V3 keystore") from None
    try:
        return LocalSigner(bytes(Account.decrypt(content, password)))
    except InputError:
        raise
    except Exception as error:
        wrong = "MAC" in str(error) or "password" in str(error).lower()
        raise InputError(
            f"wrong password for {path}" if wrong else f"{path} is not a V3 keystore",
            hint="give the right one by POLREG_PASSWORD_FILE, or when asked" if wrong else None,
        ) from None


def create_development_keystore(keystore: Path, password_file: Path) -> LocalSigner:
    """Make a new key, keep it encrypted, and its random password in a file beside it."""
    from eth_account import Account

    password, key = secrets.token_urlsafe(24), secrets.token_bytes(32)
    encrypted = Account.encrypt(key, password, kdf="scrypt", iterations=_DEVELOPMENT_SCRYPT_N)
    write_private(password_file, password.encode())
    write_private(keystore, orjson.dumps(encrypted, option=orjson.OPT_INDENT_2))
    return LocalSigner(key)


def require_private(path: Path) -> None:
    """Raise InputError where everybody may read the file, or others than its owner write it."""
    if os.name != "posix":
        return
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
    except OSError as error:
        raise _unreadable(path, error) from None
    if mode & (stat.S_IWGRP | stat.S_IRWXO):
        raise InputError(
            f"others may use {path} (its mode is {mode:o}), so it is not used",
            hint=f"chmod 600 {path}; if others could have read it, use another key",
        )
    if mode & stat.S_IRWXG:
        _log.warning("the group of %s may read it: chmod 600 is safer", path)


def write_private(path: Path, content: bytes) -> None:
    """Create a file that only its owner may read, whole or not at all; raises InputError
    where there is one, which is never overwritten."""
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.link(fresh, path)
    except FileExistsError:
        raise InputError(f"{path} is already there, and is not overwritten") from None
    finally:
        fresh.unlink()


def _unreadable(path: Path, error: OSError) -> InputError:
    return InputError(
        f"the keystore {path} can not be read: {error.strerror}",
        hint="run polreg init, or set POLREG_KEYSTORE",
    )
