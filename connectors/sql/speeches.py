"""Which brand is spoken to in which way."""

from collections.abc import Mapping
from typing import Final

from connectors.sql.address import Brand
from connectors.sql.greeting import Server
from connectors.sql.speech import Postgresql, Speech
from connectors.sql.speech_mssql import Mssql
from connectors.sql.speech_mysql import Mysql
from connectors.sql.speech_oracle import Oracle

_SPEECHES: Final[Mapping[Brand, type[Speech]]] = {
    Brand.POSTGRESQL: Postgresql,
    Brand.MYSQL: Mysql,
    Brand.SQLITE: Speech,
    Brand.MSSQL: Mssql,
    Brand.ORACLE: Oracle,
}


def speech_of(brand: Brand, server: Server) -> Speech:
    return _SPEECHES[brand](server)
