"""A real OpenLDAP server for tests: slapd on a free port of 127.0.0.1, its data in a temporary folder."""

import os
import secrets
import signal
import socket
import subprocess
from collections.abc import Iterable
from pathlib import Path

from tests.servers import Server, binary, free_port, make_folder, start, unprivileged, wait_until

SUFFIX = "dc=example,dc=com"
ROOT = f"cn=admin,{SUFFIX}"
READER = f"cn=reader,{SUFFIX}"
"""An account that may read, five entries at a time and no more."""

ACCOUNT = "objectClass: organizationalRole\nobjectClass: simpleSecurityObject"

# 32473 is the enterprise number that is set aside for documentation (RFC 5612)
SCHEMA = """
attributetype ( 1.3.6.1.4.1.32473.1.1 NAME 'shopId' EQUALITY integerMatch
  SYNTAX 1.3.6.1.4.1.1466.115.121.1.27 SINGLE-VALUE )
attributetype ( 1.3.6.1.4.1.32473.1.2 NAME 'shopEmail' EQUALITY caseIgnoreMatch
  SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 SINGLE-VALUE )
attributetype ( 1.3.6.1.4.1.32473.1.3 NAME 'shopName' EQUALITY caseIgnoreMatch
  SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 SINGLE-VALUE )
attributetype ( 1.3.6.1.4.1.32473.1.4 NAME 'shopPhone' EQUALITY telephoneNumberMatch
  SYNTAX 1.3.6.1.4.1.1466.115.121.1.50 SINGLE-VALUE )
attributetype ( 1.3.6.1.4.1.32473.1.5 NAME 'shopNote' EQUALITY caseIgnoreMatch
  SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 SINGLE-VALUE )
attributetype ( 1.3.6.1.4.1.32473.1.6 NAME 'shopPhoto' SYNTAX 1.3.6.1.4.1.1466.115.121.1.40 SINGLE-VALUE )
attributetype ( 1.3.6.1.4.1.32473.1.7 NAME 'shopPersonId' EQUALITY integerMatch
  SYNTAX 1.3.6.1.4.1.1466.115.121.1.27 SINGLE-VALUE )
attributetype ( 1.3.6.1.4.1.32473.1.8 NAME 'shopTotal' EQUALITY integerMatch
  SYNTAX 1.3.6.1.4.1.1466.115.121.1.27 SINGLE-VALUE )
attributetype ( 1.3.6.1.4.1.32473.1.9 NAME 'shopRemark' EQUALITY caseIgnoreMatch
  SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 SINGLE-VALUE )
attributetype ( 1.3.6.1.4.1.32473.1.10 NAME 'shopLabelText' EQUALITY caseIgnoreMatch
  SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 SINGLE-VALUE )
objectclass ( 1.3.6.1.4.1.32473.2.1 NAME 'shopPerson' STRUCTURAL MUST ( shopId $ shopEmail )
  MAY ( shopName $ shopPhone $ shopNote $ shopPhoto ) )
objectclass ( 1.3.6.1.4.1.32473.2.2 NAME 'shopPurchase' STRUCTURAL MUST ( shopId $ shopTotal )
  MAY ( shopPersonId $ shopRemark ) )
objectclass ( 1.3.6.1.4.1.32473.2.3 NAME 'shopLabel' STRUCTURAL MUST ( shopId $ shopLabelText ) )
"""
CONFIGURATION = """
include {schemas}/core.schema
include {schemas}/cosine.schema
include {schemas}/inetorgperson.schema
include {folder}/shop.schema
pidfile {folder}/pid
modulepath {modules}
moduleload back_mdb
sizelimit unlimited
database mdb
suffix "{suffix}"
rootdn "{root}"
rootpw {password}
directory {folder}/data
maxsize 2147483648
dbnosync
index objectClass eq
index shopEmail eq
access to attrs=userPassword by anonymous auth by * none
access to * by dn.exact="{reader}" read by * none
limits dn.exact="{reader}" size.soft=5 size.hard=5 size.prtotal=5
"""


def start_slapd() -> Server:
    """A server with an empty tree below `SUFFIX`, the administrator's password in `extra`."""
    slapd = binary("slapd", install="slapd ldap-utils")
    binary("ldapadd", install="slapd ldap-utils")
    schemas = next((at for at in (Path("/etc/ldap/schema"), Path("/etc/openldap/schema")) if at.is_dir()), None)
    modules = next((at for at in Path("/usr").glob("lib*/ldap") if at.is_dir()), Path("/usr/lib/ldap"))
    account = unprivileged("openldap", "nobody")
    folder = make_folder("slapd", account)
    password = secrets.token_hex(12)
    (folder / "shop.schema").write_text(SCHEMA)
    (folder / "slapd.conf").write_text(
        CONFIGURATION.format(
            schemas=schemas,
            folder=folder,
            modules=modules,
            suffix=SUFFIX,
            root=ROOT,
            reader=READER,
            password=password,
        )
    )
    (folder / "password").write_text(password)
    (folder / "password").chmod(0o600)
    (folder / "data").mkdir()
    if account is not None:
        for path in (folder / "shop.schema", folder / "slapd.conf", folder / "data"):
            os.chown(path, account.uid, account.gid)
    port = free_port()
    command = [slapd, "-f", str(folder / "slapd.conf"), "-h", f"ldap://127.0.0.1:{port}/", "-d", "0"]
    process = start(command, folder, account, signal.SIGINT)
    server = Server(folder, port, process, signal.SIGINT, account, {"password": password})

    def answers() -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", port)) == 0

    wait_until(answers, server)
    add(server, [f"dn: {SUFFIX}\nobjectClass: dcObject\nobjectClass: organization\no: Example\ndc: example"])
    add(
        server,
        [f"dn: {READER}\n{ACCOUNT}\ncn: reader\nuserPassword: {password}"],
    )
    return server


def add(server: Server, entries: Iterable[str]) -> None:
    """Entries in LDIF, by the server's own client."""
    _run(server, "ldapadd", "\n\n".join(entries) + "\n")


def change(server: Server, ldif: str) -> None:
    """A change in LDIF."""
    _run(server, "ldapmodify", ldif)


def searched(server: Server, base: str, *attributes: str) -> list[dict[str, list[str]]]:
    """Every entry below and with the base, past the connector; values in base64 are left so, behind `: `."""
    done = _run(server, "ldapsearch", "", "-LLL", "-o", "ldif-wrap=no", "-b", base, "(objectClass=*)", *attributes)
    found = []
    for block in done.strip().split("\n\n"):
        entry: dict[str, list[str]] = {}
        for line in block.splitlines():
            name, _, value = line.partition(":")
            entry.setdefault(name, []).append(value.strip())
        if entry:
            found.append(entry)
    return found


def _run(server: Server, program: str, text: str, *arguments: str) -> str:
    at = [f"-H=ldap://127.0.0.1:{server.port}", f"-D={ROOT}", f"-y={server.folder / 'password'}"]
    flags = [part for each in at for part in each.split("=", 1)]
    done = subprocess.run(
        [program, "-x", *flags, *arguments], input=text, capture_output=True, text=True, check=False, timeout=300
    )
    assert done.returncode == 0, f"{program}: {done.stderr[-500:]}"
    return done.stdout
