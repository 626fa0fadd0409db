"""The child of pdf.py. Reads HTML from stdin, writes a PDF to stdout; started as a file, it imports nothing of ours.

Arguments: processor seconds, bytes of memory, pages, identifier in hex. Exit codes: 3 the software is missing,
4 too many pages.
"""

import logging
import resource
import sys


def main(seconds: int, memory: int, pages: int, identifier: bytes) -> int:
    """Limit this process, then draw."""
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 1))
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_FSIZE, (64 * 1024**2, 64 * 1024**2))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        import weasyprint  # noqa: PLC0415 - after the limits, and only here: it loads Pango
        from weasyprint.urls import FatalURLFetchingError, URLFetcher  # noqa: PLC0415 - as above
    except (ImportError, OSError):
        return 3
    logging.disable(logging.CRITICAL)

    class NoAddress(URLFetcher):  # type: ignore[misc]  # WeasyPrint ships no types
        """Letters bring everything they need: any address is refused, files and data URLs too."""

        def fetch(self, url: str, headers: dict[str, str] | None = None) -> object:
            raise FatalURLFetchingError("a letter loads nothing")

    html = sys.stdin.buffer.read().decode()
    document = weasyprint.HTML(string=html, base_url=None, url_fetcher=NoAddress()).render(pdf_variant="pdf/ua-1")
    if len(document.pages) > pages:
        return 4
    document.write_pdf(sys.stdout.buffer, pdf_variant="pdf/ua-1", pdf_identifier=identifier, pdf_tags=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), bytes.fromhex(sys.argv[4])))
