"""An operation on its way into the plan."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from connectors.sql.schema import Table
from privacyops.connector_sdk import Blocker, Delete, Op, Value
from privacyops.connector_sdk.effects import Token


@dataclass
class Draft:
    """`values` is the whole row, None if it is gone; `changes` are the cells that will really differ."""

    op: Op
    table: Table
    values: Mapping[str, Value] | None
    changes: dict[str, Value | Token] = field(default_factory=dict)
    blockers: list[Blocker] = field(default_factory=list)

    @property
    def deletes(self) -> bool:
        return isinstance(self.op.act, Delete)
