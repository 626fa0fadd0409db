"""What the check does the short way gives what the long way gives."""

import hmac
import re
from unittest.mock import patch

from hypothesis import given
from hypothesis import strategies as st

from privacyops.adapters.key_file import MasterKeys
from privacyops.adapters.keyring import MasterKeyRing, derived_key, framed
from privacyops.domain.identity import email
from privacyops.ports.keyring import MacLabel

ROOT = bytes(range(32))
RING = MasterKeyRing(MasterKeys({1: bytes(32)}, {1: bytes(32), 2: ROOT}))
NEVER = re.compile(r"(?!)")

locals_ = st.text("abcXYZ019._+-@<", max_size=66)
domains = st.text("abcX09.-_", max_size=80)


@given(st.sampled_from(list(MacLabel)), st.text(max_size=20), st.lists(st.binary(max_size=200), max_size=4))
def test_a_keyed_hash_is_hmac_sha256_of_the_framed_parts(label: MacLabel, controller: str, parts: list[bytes]) -> None:
    key = derived_key(ROOT, f"{label.value}\n{controller}")
    assert RING.mac(label, controller, *parts).digest == hmac.digest(key, framed(*parts), "sha256")


@given(locals_, domains)
def test_a_plain_address_is_what_the_long_way_makes_of_it(local: str, domain: str) -> None:
    text = f"{local}@{domain}"
    short = email.normal_email(text)
    with patch.object(email, "_PLAIN", NEVER):
        assert email.normal_email(text) == short
