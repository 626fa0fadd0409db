"""XLSX: each sheet is a table, read row by row."""

import warnings
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, BinaryIO

from connectors.formats.package import open_package, refuse_doctypes
from connectors.formats.shelf import Gap, Unreadable
from connectors.formats.table import Record, column_names, named
from privacyops.connector_sdk import Misconfigured, Value


def open_workbook(file: BinaryIO) -> Any:
    """The workbook, after its archive was found bearable. Close it.

    Raises: Unreadable: broken, encrypted, too large when unpacked, or with a document type. Misconfigured: the
    extra `files` is not installed.
    """
    package = open_package(file)
    refuse_doctypes(package)
    try:
        import openpyxl  # noqa: PLC0415 - an extra, needed for this format only
    except ImportError:
        raise Misconfigured("extra:files", "missing_openpyxl") from None
    file.seek(0)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # openpyxl warns of styles and validations it leaves out
            return openpyxl.load_workbook(file, read_only=True, data_only=True, keep_links=False)
    except (MemoryError, KeyboardInterrupt):
        raise
    except Exception:
        raise Unreadable(Gap.BROKEN) from None  # openpyxl lets many kinds of errors through on damaged files


def sheet_names(book: Any) -> tuple[str, ...]:
    """Sheets that hold cells, in their order; charts are left out."""
    return tuple(str(sheet.title) for sheet in book.worksheets)


def sheet_records(book: Any, name: str) -> Iterator[Record]:
    """Every row of a sheet that is not empty; `Record.number` is the row's number in the sheet.

    Raises: Unreadable: the sheet is damaged; what stands before was yielded.
    """
    columns: tuple[str, ...] | None = None
    rows = iter(book[name].iter_rows(values_only=True))
    number = 0
    while True:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                cells = next(rows, None)
        except (MemoryError, KeyboardInterrupt):
            raise
        except Exception:
            raise Unreadable(Gap.BROKEN) from None
        if cells is None:
            return
        number += 1
        if all(cell is None or cell == "" for cell in cells):
            continue
        if columns is None:
            columns = column_names(cells)
            if columns:
                continue
            columns = tuple(f"column_{at}" for at in range(1, len(cells) + 1))
        values = named(columns, [_value(cell) for cell in cells])
        yield Record(number, {column: value for column, value in values.items() if value is not None})


def _value(cell: Any) -> Value:
    """The cell's value. A workbook has no time zones; its instants are taken as UTC."""
    if isinstance(cell, datetime):
        return cell.replace(tzinfo=UTC) if cell.tzinfo is None else cell
    if cell is None or isinstance(cell, str | int | float):
        return cell
    return cell if hasattr(cell, "isoformat") else str(cell)
