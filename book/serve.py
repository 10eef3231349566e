"""Serve the built book on this machine and open it: ``python book/serve.py [folder]``.

Uses the standard library alone. Ctrl+C stops it.
"""

from __future__ import annotations

import sys
import webbrowser
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


class Handler(SimpleHTTPRequestHandler):
    """Files of one folder; only a page that is not there is worth a line."""

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Keep quiet about requests that succeeded."""
        if str(code) == "404" and self.path != "/favicon.ico":
            super().log_request(code, size)

    def log_error(self, *_: object) -> None:
        """Keep quiet: the request's own line says it."""


def serve(folder: Path) -> None:
    """Serve the folder on a free port until interrupted."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(folder)))
    address = f"http://127.0.0.1:{server.server_port}/"
    print(f"The book is at {address} (Ctrl+C stops)", flush=True)
    webbrowser.open(address)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        print()
    finally:
        server.server_close()


def main() -> None:
    """Read the folder from the command line; say what to do where it is missing."""
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "_build/html")
    if not (folder / "index.html").is_file():
        sys.exit(f"No built book in {folder}: run `make html` first.")
    serve(folder)


if __name__ == "__main__":
    main()
