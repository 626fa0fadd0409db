"""Small, valid files of the formats a shop's folder holds, written without a library, byte for byte alike."""

import unicodedata
import zipfile
from collections.abc import Mapping, Sequence
from io import BytesIO
from typing import Final
from xml.sax.saxutils import escape

_ZIP_DATE: Final = (1980, 1, 1, 0, 0, 0)
_PACKAGE_TYPES: Final = "http://schemas.openxmlformats.org/package/2006/content-types"
_PACKAGE_LINKS: Final = "http://schemas.openxmlformats.org/package/2006/relationships"
_OFFICE: Final = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_WORD: Final = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
_SHEET: Final = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_CORE: Final = "http://schemas.openxmlformats.org/package/2006/metadata/core-properties"
_BOOK_TYPE: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_XML: Final = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'


def pdf(title: str, author: str, lines: Sequence[str]) -> bytes:
    """One A4 page of Helvetica with `lines`; letters outside Windows-1252 lose their accents."""
    shown = ["BT /F1 11 Tf 14 TL 60 780 Td"]
    shown += [f"({_pdf_text(line)}) Tj T*" for line in lines]
    content = "\n".join([*shown, "ET"]).encode("cp1252")
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 5 0 R /Resources 7 0 R >>",
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
        b"<< /Length %d >>\nstream\n%b\nendstream" % (len(content), content),
        f"<< /Title ({_pdf_text(title)}) /Author ({_pdf_text(author)}) >>".encode("cp1252"),
        b"<< /Font << /F1 4 0 R >> >>",
    ]
    out = bytearray(b"%PDF-1.4\n")
    places = []
    for number, body in enumerate(objects, start=1):
        places.append(len(out))
        out += b"%d 0 obj\n%b\nendobj\n" % (number, body)
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    out += b"".join(b"%010d 00000 n \n" % place for place in places)
    out += b"trailer\n<< /Size %d /Root 1 0 R /Info 6 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, start)
    return bytes(out)


def _pdf_text(text: str) -> str:
    plain = "".join(_in_cp1252(letter) for letter in text)
    return plain.replace("\\", r"\\").replace("(", r"\(").replace(")", r"\)")


def _in_cp1252(letter: str) -> str:
    try:
        letter.encode("cp1252")
    except UnicodeEncodeError:
        bare = unicodedata.normalize("NFD", letter)[0]
        return bare if bare.isascii() else {"ł": "l", "Ł": "L"}.get(letter, "?")
    return letter


def docx(title: str, author: str, paragraphs: Sequence[str]) -> bytes:
    """A Word document of plain paragraphs with title and author among its properties."""
    text = "".join(f'<w:p><w:r><w:t xml:space="preserve">{escape(line)}</w:t></w:r></w:p>' for line in paragraphs)
    word = "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"
    return _package(
        {
            "/word/document.xml": word,
            "/docProps/core.xml": "application/vnd.openxmlformats-package.core-properties+xml",
        },
        {
            "_rels/.rels": _links(
                (f"{_OFFICE}/officeDocument", "word/document.xml"),
                (
                    "http://schemas.openxmlformats.org/package/2006/relationships/metadata/core-properties",
                    "docProps/core.xml",
                ),
            ),
            "docProps/core.xml": f'{_XML}<cp:coreProperties xmlns:cp="{_CORE}" xmlns:dc="http://purl.org/dc/elements/1.1/">'
            f"<dc:title>{escape(title)}</dc:title><dc:creator>{escape(author)}</dc:creator></cp:coreProperties>",
            "word/document.xml": f'{_XML}<w:document xmlns:w="{_WORD}"><w:body>{text}</w:body></w:document>',
        },
    )


def xlsx(sheets: Mapping[str, Sequence[Sequence[str | int | float]]]) -> bytes:
    """A workbook with the given sheets, each a list of rows; texts stand inline, numbers as numbers."""
    sheet_type = f"{_BOOK_TYPE}.worksheet+xml"
    parts = {"/xl/workbook.xml": f"{_BOOK_TYPE}.sheet.main+xml"}
    parts |= {f"/xl/worksheets/sheet{at}.xml": sheet_type for at in range(1, len(sheets) + 1)}
    listed = "".join(
        f'<sheet name="{escape(name)}" sheetId="{at}" r:id="rId{at}"/>' for at, name in enumerate(sheets, start=1)
    )
    files = {
        "_rels/.rels": _links((f"{_OFFICE}/officeDocument", "xl/workbook.xml")),
        "xl/workbook.xml": (
            f'{_XML}<workbook xmlns="{_SHEET}" xmlns:r="{_OFFICE}"><sheets>{listed}</sheets></workbook>'
        ),
        "xl/_rels/workbook.xml.rels": _links(
            *((f"{_OFFICE}/worksheet", f"worksheets/sheet{at}.xml") for at in range(1, len(sheets) + 1))
        ),
    }
    for at, rows in enumerate(sheets.values(), start=1):
        body = "".join(f'<row r="{number}">{_cells(row, number)}</row>' for number, row in enumerate(rows, start=1))
        files[f"xl/worksheets/sheet{at}.xml"] = (
            f'{_XML}<worksheet xmlns="{_SHEET}"><sheetData>{body}</sheetData></worksheet>'
        )
    return _package(parts, files)


def _cells(row: Sequence[str | int | float], number: int) -> str:
    cells = []
    for at, value in enumerate(row):
        place = f"{chr(ord('A') + at)}{number}"
        if isinstance(value, str):
            cells.append(f'<c r="{place}" t="inlineStr"><is><t>{escape(value)}</t></is></c>')
        else:
            cells.append(f'<c r="{place}"><v>{value}</v></c>')
    return "".join(cells)


def _links(*targets: tuple[str, str]) -> str:
    links = "".join(
        f'<Relationship Id="rId{at}" Type="{kind}" Target="{to}"/>' for at, (kind, to) in enumerate(targets, start=1)
    )
    return f'{_XML}<Relationships xmlns="{_PACKAGE_LINKS}">{links}</Relationships>'


def _package(parts: dict[str, str], files: dict[str, str]) -> bytes:
    overrides = "".join(f'<Override PartName="{name}" ContentType="{kind}"/>' for name, kind in parts.items())
    types = (
        f'{_XML}<Types xmlns="{_PACKAGE_TYPES}"><Default Extension="xml" ContentType="application/xml"/>'
        f'<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f"{overrides}</Types>"
    )
    out = BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, text in {"[Content_Types].xml": types, **files}.items():
            archive.writestr(zipfile.ZipInfo(name, _ZIP_DATE), text.encode(), zipfile.ZIP_DEFLATED, 1)
    return out.getvalue()
