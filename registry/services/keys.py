"""The account that acts, from settings alone: needs neither a node nor a mirror.

In order: POLREG_PRIVATE_KEY, POLREG_SIGNER_URL, POLREG_KMS_KEY, POLREG_KEYSTORE, the development
key of the home folder. Two of the first four are a contradiction, and are refused: whoever sets
both means one of them.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from registry.chain.addresses import parse_address
from registry.chain.core_dumps import forbid_core_dumps
from registry.chain.keystore import create_development_keystore, open_keystore
from registry.chain.signers import CheckedSigner, LocalSigner, Signer, signer_from_hex
from registry.config import Settings
from registry.errors import InputError

AskPassword = Callable[[str], str]


def signer_of(settings: Settings, ask_password: AskPassword) -> Signer:
    """The signer that the settings name; whatever it signs is checked. Raises InputError."""
    named = {
        "POLREG_PRIVATE_KEY": settings.private_key,
        "POLREG_SIGNER_URL": settings.signer_url,
        "POLREG_KMS_KEY": settings.kms_key,
        "POLREG_KEYSTORE": settings.keystore,
    }
    given = [name for name, value in named.items() if value is not None]
    if len(given) > 1:
        raise InputError(
            f"{' and '.join(given)} are set, and name one account each",
            hint="unset all but the one that is to sign",
        )
    return CheckedSigner(_named(settings, ask_password))


def development_signer(settings: Settings) -> LocalSigner:
    """The home folder's own key, made on first use."""
    keystore, password = settings.development_keystore, settings.development_password
    if keystore.exists():
        return open_keystore(keystore, _password_from(password))
    keystore.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    # A crash between the two files leaves a password without a keystore: start over.
    password.unlink(missing_ok=True)
    return create_development_keystore(keystore, password)


def _named(settings: Settings, ask_password: AskPassword) -> Signer:
    if settings.signer_url is None and settings.kms_key is None:
        # The key itself is about to be in memory.
        forbid_core_dumps()
    if settings.private_key is not None:
        return signer_from_hex(settings.private_key)
    if settings.signer_url is not None:
        return _remote(settings.signer_url, settings.signer_account)
    if settings.kms_key is not None:
        from registry.chain.kms_signer import KmsSigner

        return KmsSigner(settings.kms_key)
    if settings.keystore is not None:
        return _keystore(settings.keystore, settings.password_file, ask_password)
    if settings.development_keystore.exists():
        return development_signer(settings)
    raise InputError(
        "there is no key to sign with",
        hint="run polreg init for a development key, or set POLREG_KEYSTORE",
    )


def _remote(url: str, account: str | None) -> Signer:
    from registry.chain.remote_signer import RemoteSigner

    if account is None:
        raise InputError(
            "POLREG_SIGNER_URL is set, and not which of its accounts signs",
            hint="set POLREG_SIGNER_ACCOUNT to its address",
        )
    return RemoteSigner(url, parse_address(account, "account in POLREG_SIGNER_ACCOUNT"))


def _keystore(path: Path, password_file: Path | None, ask_password: AskPassword) -> Signer:
    if not path.is_file():
        raise InputError(f"there is no keystore {path}", hint="check POLREG_KEYSTORE")
    if password_file is not None:
        return open_keystore(path, _password_from(password_file))
    return open_keystore(path, ask_password(f"Password of {path}"))


def _password_from(path: Path) -> str:
    try:
        return path.read_text("utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError):
        raise InputError(f"the password file {path} can not be read") from None
