"""Documents that are kept: by their digest, whole, for this user, and never handed out changed."""

from __future__ import annotations

from pathlib import Path

import pytest

from registry.config import Settings, settings_from
from registry.core.digest import sha256
from registry.core.units import Digest
from registry.errors import Inconsistent, InputError, LocalFailure, NotFound
from registry.services.documents import Documents, content_of, documents_of

CONTENT = "第一条 水归国家所有。".encode() * 200_000
"""More than one piece."""


@pytest.fixture(params=["folder", "url"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> str | None:
    return None if request.param == "folder" else f"file://{tmp_path}/home/documents"


@pytest.fixture
def documents(place: str | None, tmp_path: Path) -> Documents:
    return documents_of(Settings(home=tmp_path / "home", documents=place))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "law.md"
    path.write_bytes(CONTENT)
    return path


def kept(tmp_path: Path) -> list[Path]:
    return [each for each in (tmp_path / "home/documents").rglob("*") if each.is_file()]


def test_what_is_kept_is_there_under_its_digest(
    documents: Documents, file: Path, tmp_path: Path
) -> None:
    digest = sha256(CONTENT)
    assert not documents.holds(digest)
    documents.keep(file, digest)
    documents.keep(file, digest)
    assert documents.holds(digest)
    assert content_of(documents, digest) == CONTENT
    (path,) = kept(tmp_path)
    name = digest.hex()
    assert path == tmp_path / "home/documents" / name[:2] / name[2:]


def test_in_the_home_folder_it_is_for_this_user_alone(file: Path, tmp_path: Path) -> None:
    documents_of(Settings(home=tmp_path / "home")).keep(file, sha256(CONTENT))
    (path,) = kept(tmp_path)
    assert (path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    assert path.parent.parent.stat().st_mode & 0o777 == 0o700


def test_what_was_changed_there_is_never_handed_out(
    documents: Documents, file: Path, tmp_path: Path
) -> None:
    documents.keep(file, sha256(CONTENT))
    (path,) = kept(tmp_path)
    path.write_bytes(CONTENT[:-1] + b"?")
    with pytest.raises(Inconsistent, match=sha256(CONTENT).hex()):
        content_of(documents, sha256(CONTENT))


def test_a_file_that_is_another_one_by_now_leaves_nothing(
    documents: Documents, file: Path, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match="changed"):
        documents.keep(file, Digest(bytes(32)))
    assert kept(tmp_path) == []


def test_what_is_not_kept_is_not_found(documents: Documents) -> None:
    with pytest.raises(NotFound, match="not kept"):
        content_of(documents, Digest(bytes(32)))


def test_a_store_that_can_not_be_written_says_so(documents: Documents, file: Path) -> None:
    """The folder is a file."""
    home = file.parent / "home"
    home.mkdir()
    (home / "documents").write_bytes(b"")
    with pytest.raises(LocalFailure):
        documents.keep(file, sha256(CONTENT))


def test_a_url_that_nothing_knows_is_refused_without_being_told(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, documents="nothing://user:geheim@host/x")
    with pytest.raises(InputError, match="POLREG_DOCUMENTS") as raised:
        documents_of(settings)
    assert "geheim" not in str(raised.value)
    assert "geheim" in settings.secrets


def test_the_setting_is_yes_or_no() -> None:
    assert settings_from({"POLREG_KEEP_DOCUMENTS": "yes"}).keep_documents
    assert not settings_from({}).keep_documents
    with pytest.raises(InputError, match="POLREG_KEEP_DOCUMENTS"):
        settings_from({"POLREG_KEEP_DOCUMENTS": "perhaps"})
