"""A package goes straight into the real vault under the real signer, and comes out genuine."""

import io
from pathlib import Path
from uuid import uuid4

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from privacyops.adapters.key_file import fresh_keys
from privacyops.adapters.keyring import MasterKeyRing
from privacyops.adapters.letters.writer import TemplateLetterWriter
from privacyops.adapters.package.build import ZipPackageBuilder
from privacyops.adapters.package.pdf import PdfLimits
from privacyops.adapters.package.verify import verify_package
from privacyops.adapters.signer_ed25519 import Ed25519Signer
from privacyops.adapters.vault import FolderVault
from privacyops.domain.letter import Letter, LetterKind
from privacyops.domain.package.contents import Collection, Column, ColumnUnknown, PackageContents, Record, Store
from privacyops.kernel.ids import DsarId
from privacyops.ports.letters import LetterWriter
from privacyops.ports.package import PackageBuilder
from tests.made_up_answer import contents, letter_values

SIGNER = Ed25519Signer(Ed25519PrivateKey.from_private_bytes(b"\x05" * 32))
WRITER: LetterWriter = TemplateLetterWriter()
BUILDER: PackageBuilder = ZipPackageBuilder(SIGNER, "privacyops 0.0.0", PdfLimits(pages=0))


@pytest.fixture
def vault(tmp_path: Path) -> FolderVault:
    return FolderVault(tmp_path, MasterKeyRing(fresh_keys()))


def letter() -> Letter:
    return WRITER.write(LetterKind.ANSWER_PARTIAL, "en", letter_values(LetterKind.ANSWER_PARTIAL))


def stored(vault: FolderVault, given: PackageContents) -> tuple[bytes, str, str]:
    stream = BUILDER.stream(given, letter())
    ref = vault.put("shop-group", DsarId(uuid4()), stream)
    return b"".join(vault.open(ref)), ref.sha256, stream.built.sha256


def test_what_comes_out_of_the_vault_is_what_was_signed(vault: FolderVault) -> None:
    packed, vault_hash, built_hash = stored(vault, contents())
    assert vault_hash == built_hash
    result = verify_package(io.BytesIO(packed), SIGNER.public_key)
    assert result.is_genuine
    assert result.key_id == SIGNER.key_id


def test_a_build_that_breaks_off_leaves_no_blob(vault: FolderVault, tmp_path: Path) -> None:
    wrong = Collection("notes", "Notes", (Column("note", "Note"),), (Record("1", {"other": "x"}),))
    with pytest.raises(ColumnUnknown):
        stored(vault, contents(stores=(Store("shop", "Shop", (wrong,)),)))
    assert [path for path in tmp_path.rglob("*.blob") if path.is_file()] == []
