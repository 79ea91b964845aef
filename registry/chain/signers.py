"""Who signs: a V3 keystore, or for development a key from the environment.

A key never appears in `repr`, an error or a log. Files are written with mode 0600.
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import Any, Protocol

import orjson

from registry.chain.addresses import checksummed
from registry.core.units import Address
from registry.errors import InputError

# For a key that guards a development chain only; a real one is made by the user's own tool.
_DEVELOPMENT_SCRYPT_N = 4096


class Signer(Protocol):
    """Signs transactions of one account."""

    address: Address

    def sign_transaction(self, fields: dict[str, Any]) -> bytes:
        """The raw signed transaction."""


class LocalSigner:
    """A private key in this process's memory."""

    def __init__(self, key: bytes) -> None:
        from eth_account import Account

        try:
            self._account = Account.from_key(key)
        except Exception:
            # eth_account's own error may quote the key.
            raise InputError("the private key is not one") from None
        self.address = Address(bytes.fromhex(self._account.address[2:]))

    def __repr__(self) -> str:
        return f"LocalSigner({checksummed(self.address)})"

    def sign_transaction(self, fields: dict[str, Any]) -> bytes:
        return bytes(self._account.sign_transaction(fields).raw_transaction)


def signer_from_hex(text: str) -> LocalSigner:
    """From a private key in hexadecimal, whose text no error repeats."""
    body = text.strip().removeprefix("0x")
    try:
        key = bytes.fromhex(body)
    except ValueError:
        key = b""
    if len(key) != 32:
        raise InputError(
            "POLREG_PRIVATE_KEY is not a private key", hint="it is 64 hexadecimal characters"
        )
    return LocalSigner(key)


def open_keystore(path: Path, password: str) -> LocalSigner:
    """Decrypt a V3 keystore file; raises InputError for a wrong file or password."""
    from eth_account import Account

    try:
        content = orjson.loads(path.read_bytes())
    except OSError as error:
        raise InputError(
            f"the keystore {path} can not be read: {error.strerror}",
            hint="run polreg init, or set POLREG_KEYSTORE",
        ) from None
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
