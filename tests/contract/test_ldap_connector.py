"""The LDAP connector passes the shipped contract on a real OpenLDAP server, and keeps what a directory asks for."""

import base64
import secrets
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pytest

from connectors.ldap import connector
from connectors.ldap.writing import DirectoryStore
from privacyops.connector_sdk import (
    EVERY_ROW,
    Act,
    Connector,
    Constant,
    Delete,
    FieldType,
    Json,
    Leaf,
    Misconfigured,
    Null,
    Op,
    OpId,
    OpResult,
    Outcome,
    PredicateOp,
    RandomToken,
    RemoveElement,
    Retriable,
    Set,
    Terminal,
    Value,
)
from privacyops.connector_sdk.testing.bench import GivenSecrets, applied, catalogue_of, hits_of
from privacyops.connector_sdk.testing.contract import Bench, Broken, ConnectorContract, Snapshot, Spy
from privacyops.connector_sdk.testing.faults import Fault, FaultProxy
from privacyops.connector_sdk.testing.seed import PERSON, PERSONS, PURCHASE, PURCHASES
from tests.directory_server import READER, ROOT, SUFFIX, add, change, searched, start_slapd
from tests.servers import Server, free_port

NAMES = {
    "id": "shopId",
    "email": "shopEmail",
    "name": "shopName",
    "phone": "shopPhone",
    "note": "shopNote",
    "photo": "shopPhoto",
    "person_id": "shopPersonId",
    "total": "shopTotal",
    "remark": "shopRemark",
    "label": "shopLabelText",
}


@pytest.fixture(scope="module")
def slapd() -> Iterator[Server]:
    server = start_slapd()
    yield server
    server.stop()


def _line(attribute: str, value: Value) -> str:
    data = value if isinstance(value, bytes) else str(value).encode()
    return f"{attribute}:: {base64.b64encode(data).decode()}"


def _ldif(dn: str, kind: str, row: Mapping[str, Value]) -> str:
    cells = [_line(NAMES[name], value) for name, value in row.items() if value not in {None, ""}]
    return "\n".join([f"dn: {dn}", f"objectClass: {kind}", *cells])


class DirectoryBench(Bench):
    """A subtree of its own: persons, and their purchases beneath them."""

    entry = "connectors.ldap:connector"
    drivers = frozenset({"ldap3", "pyasn1"})
    names: Mapping[str, str] = {PERSON: "shopPerson", PURCHASE: "shopPurchase"}

    def __init__(self, server: Server) -> None:
        self.server = server
        self.base = f"ou=u{secrets.token_hex(6)},{SUFFIX}"
        people = [_ldif(self._dn(PERSON, row), "shopPerson", row) for row in PERSONS]
        orders = [_ldif(self._dn(PURCHASE, row), "shopPurchase", row) for row in PURCHASES]
        unit = f"dn: {self.base}\nobjectClass: organizationalUnit\nou: {self.base.split(',')[0][3:]}"
        add(server, [unit, *people, *orders])

    def _dn(self, collection: str, row: Mapping[str, Value]) -> str:
        parent = self.base if collection == PERSON else f"shopId={row['person_id']},{self.base}"
        return f"shopId={row['id']},{parent}"

    def connector(self) -> Connector:
        return connector

    def config(self) -> Mapping[str, Json]:
        at: Mapping[str, Json] = {"host": "127.0.0.1", "port": self.server.port, "tls": "none"}
        return {"name": "shop", "base": self.base, "user": ROOT, "names": NAMES, **at}

    def secrets(self) -> Mapping[str, str]:
        return {"password": self.server.extra["password"], "hash_key": "a-key-of-this-test"}

    def snapshot(self) -> Snapshot:
        found: dict[tuple[str, str], dict[str, str | None]] = {}
        back = {attribute: name for name, attribute in NAMES.items()}
        for entry in searched(self.server, self.base):
            collection = {"shopPerson": PERSON, "shopPurchase": PURCHASE}.get(entry["objectClass"][0])
            if collection is not None:
                person = ("email", "name", "phone", "note", "photo")
                paths = ("id", *(person if collection == PERSON else ("person_id", "total", "remark")))
                held = {back[name]: _text(values[0]) for name, values in entry.items() if name in back}
                found[collection, held["id"]] = {path: held.get(path) for path in paths}
        return found

    def change(self, collection: str, number: int, path: str, value: Value) -> None:
        row = next(each for each in (PERSONS if collection == PERSON else PURCHASES) if each["id"] == number)
        attribute = NAMES[path]
        line = _line(attribute, value)
        ldif = f"dn: {self._dn(collection, row)}\nchangetype: modify\nreplace: {attribute}\n{line}\n"
        change(self.server, ldif)

    def insert(self, number: int) -> None:
        row: Mapping[str, Value] = {"id": number, "email": f"new{number}@example.org", "name": f"New {number}"}
        add(self.server, [_ldif(self._dn(PERSON, row), "shopPerson", row)])

    def grow(self, rows: int) -> str:
        unit = f"dn: ou=bulk,{self.base}\nobjectClass: organizationalUnit\nou: bulk"
        kind = "objectClass: shopLabel"
        bulk = (
            f"dn: shopId={at},ou=bulk,{self.base}\n{kind}\nshopId: {at}\nshopLabelText: label {at}"
            for at in range(1, rows + 1)
        )
        add(self.server, [unit, *bulk])
        return "shopLabel"

    def broken(self) -> Sequence[Broken]:
        nobody = {**self.config(), "port": free_port()}
        wrong = {**self.secrets(), "password": "not-it"}
        nowhere = {**self.config(), "host": "directory.invalid", "tls": "implicit"}
        return (
            Broken("wrong password", self.config(), wrong, Misconfigured, "password"),
            Broken("no server", nobody, self.secrets(), Retriable),
            Broken("no such host", nowhere, self.secrets(), Misconfigured, "host"),
            Broken("no TLS there", {**self.config(), "tls": "starttls"}, self.secrets(), Misconfigured, "tls"),
        )

    def held(self) -> int:
        """Connections to the server that stand open."""
        lines = (line.split() for line in Path("/proc/self/net/tcp").read_text().splitlines())
        return sum(cells[2:4] == [f"0100007F:{self.server.port:04X}", "01"] for cells in lines if len(cells) > 3)


def _text(value: str) -> str:
    return base64.b64decode(value[1:].strip()).decode("utf-8", "replace") if value.startswith(":") else value


@pytest.mark.stores
class TestLdapConnector(ConnectorContract):
    """All 35 checks."""

    @pytest.fixture
    def bench(self, slapd: Server) -> DirectoryBench:
        return DirectoryBench(slapd)

    @pytest.mark.long
    def test_33_deadline_and_cancel_end_a_long_scan_and_nothing_stays_open(self, bench: Bench) -> None:
        super().test_33_deadline_and_cancel_end_a_long_scan_and_nothing_stays_open(bench)

    @pytest.mark.long
    def test_34_many_rows_in_flat_memory_and_close_may_come_twice(self, bench: Bench) -> None:
        super().test_34_many_rows_in_flat_memory_and_close_may_come_twice(bench)


class Tree:
    """A subtree of real object classes: a team, its people, and a group of them."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.base = f"ou=t{secrets.token_hex(6)},{SUFFIX}"
        ann = f"dn: uid=ann,{self.base}\nobjectClass: inetOrgPerson\nuid: ann\ncn: Ann Roe\nsn: Roe"
        ben = f"dn: uid=ben,{self.base}\nobjectClass: inetOrgPerson\nuid: ben\ncn: Ben Okafor\nsn: Okafor"
        more = f"telephoneNumber: +1 202-555-0143\nmanager: uid=ben,{self.base}\ndescription: Likes tea, plum code."
        both = f"member: uid=ann,{self.base}\nmember: uid=ben,{self.base}"
        mails = "mail: ann@example.com\nmail: ann.roe@example.org\ncn;lang-de: Anna Roh\nuserPassword: x"
        add(
            server,
            [
                f"dn: {self.base}\nobjectClass: organizationalUnit\nou: {self.base.split(',')[0][3:]}",
                f"{ann}\n{mails}\n{more}",
                f"{ben}\nmail: ben@example.com",
                f"dn: cn=team,{self.base}\nobjectClass: groupOfNames\ncn: team\n{both}",
                f"dn: cn=alone,{self.base}\nobjectClass: groupOfNames\ncn: alone\nmember: uid=ann,{self.base}",
            ],
        )

    def store(self, *, write: bool = False, **config: Json) -> DirectoryStore:
        at: dict[str, Json] = {"host": "127.0.0.1", "port": self.server.port, "tls": "none", "user": ROOT}
        given = GivenSecrets({"password": self.server.extra["password"], "hash_key": "k"})
        return connector.open({"name": "staff", "write": write, "base": self.base, **at, **config}, given)

    def entry(self, name: str) -> dict[str, list[str]]:
        """Past the connector."""
        found = [each for each in searched(self.server, self.base) if each["dn"] == [f"{name},{self.base}"]]
        return found[0] if found else {}

    def act(self, store: DirectoryStore, name: str, act: Act, collection: str = "inetOrgPerson") -> OpResult:
        """One operation on the entry of that name, planned and applied."""
        [hit] = [each for each in hits_of(store, collection, EVERY_ROW) if str(each.ref.key["dn"]).startswith(name)]
        plan = store.plan(Spy().call(), [Op(OpId("a"), hit.ref, act)])
        return applied(store, plan)["a"]


@pytest.fixture
def tree(slapd: Server) -> Tree:
    return Tree(slapd)


def _found(store: DirectoryStore, field: str, op: PredicateOp, value: Value) -> list[str]:
    hits = hits_of(store, "inetOrgPerson", Leaf("x", field, op, value))
    return [str(hit.ref.key["dn"]).split(",")[0] for hit in hits]


@pytest.mark.stores
def test_each_of_several_values_is_found_whatever_its_case(tree: Tree) -> None:
    store = tree.store()
    assert _found(store, "mail", PredicateOp.ARRAY_HAS, "ANN.roe@example.org") == ["uid=ann"]
    assert _found(store, "cn", PredicateOp.ARRAY_HAS, "anna roh") == ["uid=ann"]
    assert _found(store, "telephoneNumber", PredicateOp.ARRAY_HAS, "+12025550143") == []
    assert _found(store, "description", PredicateOp.JSON_ANY, "nothing") == []
    assert _found(store, "mail", PredicateOp.ARRAY_HAS, "*)(uid=*") == []
    store.close()


@pytest.mark.stores
def test_the_catalogue_names_classes_values_and_where_names_lead_and_no_password(tree: Tree) -> None:
    store = tree.store(names={"username": "uid"})
    found = catalogue_of(store)
    assert set(found) == {"groupOfNames", "inetOrgPerson", "organizationalUnit"}
    assert found["inetOrgPerson"].rows.n == 2
    links = {(name, link.fields[0], link.to) for name, each in found.items() for link in each.links}
    assert links == {("inetOrgPerson", "manager", "inetOrgPerson"), ("groupOfNames", "member", "inetOrgPerson")}
    fields = {field.path: field for field in found["inetOrgPerson"].fields}
    assert fields["mail"].type is FieldType.ARRAY
    assert not fields["sn"].nullable
    assert "username" in fields
    assert not {"uid", "userPassword", "objectClass"} & set(fields)
    [ann, _] = sorted(hits_of(store, "inetOrgPerson", EVERY_ROW), key=lambda hit: str(hit.ref.key))
    assert not {"userPassword", "objectClass"} & set(ann.values)
    store.close()


@pytest.mark.stores
def test_a_cell_with_several_values_and_languages_is_erased_whole(tree: Tree) -> None:
    store = tree.store(write=True)
    token = RandomToken("erased-{r}")
    result = tree.act(store, "uid=ann", Set({"cn": token, "mail": Null(), "description": Constant("")}))
    assert result.outcome is Outcome.DONE
    entry = tree.entry("uid=ann")
    assert len(entry["cn"]) == 1
    assert entry["cn"][0].startswith("erased-")
    assert not {"mail", "description", "cn;lang-de"} & set(entry)
    assert entry["sn"] == ["Roe"]
    store.close()


@pytest.mark.stores
def test_a_person_leaves_a_group_and_the_others_stay(tree: Tree) -> None:
    store = tree.store(write=True)
    members = next(hit for hit in hits_of(store, "groupOfNames", EVERY_ROW) if hit.values["cn"] == ("team",))
    held = members.values["member"]
    assert isinstance(held, tuple)
    at = held.index(f"uid=ann,{tree.base}")
    assert tree.act(store, "cn=team", RemoveElement("member", at), "groupOfNames").outcome is Outcome.DONE
    assert tree.entry("cn=team")["member"] == [f"uid=ben,{tree.base}"]
    last = tree.act(store, "cn=alone", RemoveElement("member", 0), "groupOfNames")
    assert (last.outcome, last.code) == (Outcome.BLOCKED, "not_null")
    store.close()


@pytest.mark.stores
@pytest.mark.parametrize(
    ("act", "code"),
    [(Set({"sn": Null()}), "not_null"), (Set({"uid": Constant("x")}), "part_of_the_name")],
)
def test_what_the_directory_would_refuse_is_a_blocker_of_the_plan(tree: Tree, act: Act, code: str) -> None:
    store = tree.store(write=True)
    result = tree.act(store, "uid=ann", act)
    assert (result.outcome, result.code) == (Outcome.BLOCKED, code)
    assert tree.entry("uid=ann")["sn"] == ["Roe"]
    store.close()


@pytest.mark.stores
def test_two_operations_on_one_entry_are_one_change_that_repeats_as_done(tree: Tree) -> None:
    store = tree.store(write=True)
    [hit] = hits_of(store, "inetOrgPerson", Leaf("x", "uid", PredicateOp.ARRAY_HAS, "ann"))
    ops = [Op(OpId("a"), hit.ref, Set({"mail": Null()})), Op(OpId("b"), hit.ref, Set({"description": Null()}))]
    plan = store.plan(Spy().call(), ops)
    assert {each.outcome for each in applied(store, plan).values()} == {Outcome.DONE}
    assert {each.outcome for each in applied(store, plan).values()} == {Outcome.ALREADY}
    assert not {"mail", "description"} & set(tree.entry("uid=ann"))
    store.close()


@pytest.mark.stores
def test_a_change_between_reading_and_writing_is_refused_by_the_server_itself(tree: Tree) -> None:
    store = tree.store(write=True)
    [hit] = hits_of(store, "inetOrgPerson", Leaf("x", "uid", PredicateOp.ARRAY_HAS, "ann"))
    plan = store.plan(Spy().call(), [Op(OpId("a"), hit.ref, Delete())])
    read = store._entry

    def read_then_changed(call: object, session: object, dn: str) -> object:
        entry = read(call, session, dn)  # type: ignore[arg-type]  # passed on as they came
        change(tree.server, f"dn: {dn}\nchangetype: modify\nreplace: description\ndescription: other\n")
        return entry

    store._entry = read_then_changed  # type: ignore[method-assign, assignment]  # the moment between cannot be met otherwise
    assert applied(store, plan)["a"].outcome is Outcome.CONFLICT
    assert tree.entry("uid=ann")["description"] == ["other"]
    store.close()


@pytest.mark.stores
def test_an_account_that_may_not_read_everything_is_no_answer(tree: Tree) -> None:
    people = (f"dn: uid=p{at},{tree.base}\nobjectClass: inetOrgPerson\nuid: p{at}\ncn: P\nsn: P" for at in range(20))
    add(tree.server, people)
    store = tree.store(user=READER)
    with pytest.raises(Terminal, match="size_limit"):
        hits_of(store, "inetOrgPerson", EVERY_ROW)
    store.close()


@pytest.mark.stores
def test_a_cut_connection_can_be_tried_again(tree: Tree) -> None:
    with FaultProxy("127.0.0.1", tree.server.port) as proxy:
        store = tree.store(port=proxy.port)
        assert len(hits_of(store, "inetOrgPerson", EVERY_ROW)) == 2
        proxy.behave(Fault.CUT)
        with pytest.raises(Retriable):
            hits_of(store, "inetOrgPerson", EVERY_ROW)
        proxy.behave(Fault.SILENT)
        with pytest.raises(Retriable):
            hits_of(store, "inetOrgPerson", EVERY_ROW, spy=Spy(seconds=1))
        proxy.behave(Fault.NONE)
        assert len(hits_of(store, "inetOrgPerson", EVERY_ROW)) == 2
        store.close()


@pytest.mark.stores
def test_an_empty_password_is_refused_because_it_would_bind_as_nobody(tree: Tree) -> None:
    at: dict[str, Json] = {"host": "127.0.0.1", "port": tree.server.port, "tls": "none", "user": ROOT}
    store = connector.open({"base": tree.base, **at}, GivenSecrets({"password": ""}))
    with pytest.raises(Misconfigured) as refusal:
        store.health(Spy().call())
    assert (refusal.value.setting, refusal.value.code) == ("password", "empty")
    store.close()


@pytest.mark.parametrize(
    ("config", "setting"),
    [
        ({"host": "directory.example.com", "base": "dc=x", "user": "u", "tls": "none"}, "tls"),
        ({"host": "directory.example.com", "base": "dc=x", "user": "u", "names": {"a": "x)(y"}}, "names"),
        ({"host": "directory.example.com", "user": "u"}, "base"),
    ],
)
def test_a_configuration_that_cannot_be_right_names_its_key(config: Mapping[str, Json], setting: str) -> None:
    with pytest.raises(Misconfigured) as refusal:
        connector.open(config, GivenSecrets({}))
    assert refusal.value.setting == setting
