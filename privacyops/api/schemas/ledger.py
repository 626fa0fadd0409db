"""Wire models of the logs."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field


class PromiseOut(BaseModel):
    """In place of a proof: our signature (JWS, EdDSA) that the record will stand in the log."""

    promise: str
    retry_after_s: int


class ConsistencyOut(BaseModel):
    """RFC 6962 consistency proof; `hashes` are base64, `checkpoint` is the signed note of `to` leaves."""

    model_config = ConfigDict(populate_by_name=True)

    tree: str
    old: Annotated[int, Field(alias="from")]
    new: Annotated[int, Field(alias="to")]
    hashes: list[str]
    checkpoint: str
