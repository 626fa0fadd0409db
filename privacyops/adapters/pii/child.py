"""The child of apart.py: reads texts from stdin, a JSON line a portion, and writes what it found to stdout.

It ends when its parent does, when nothing came for a while, and after so many texts that a leak could matter; the
parent starts the next one. What a library says on stdout goes nowhere: it might quote a text.
"""

import contextlib
import dataclasses
import json
import os
import resource
import select
import sys
from pathlib import Path
from typing import IO, Any, Final

IDLE_SECONDS: Final = 60.0
MOST_TEXTS: Final = 2_000
_NICENESS: Final = 5
"""Pages and checks come first on a machine with few cores."""


def main(options: dict[str, Any], texts: IO[bytes], answers: IO[bytes]) -> None:
    """Serve portions until there is a reason to end."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    os.nice(_NICENESS)
    from privacyops.adapters.pii.detector import Options, PipelineDetector  # noqa: PLC0415 - after the limits
    from privacyops.domain.detection.span import Profile  # noqa: PLC0415 - as above
    from privacyops.ports.pii import Text  # noqa: PLC0415 - as above

    cache = Path(options["cache"]) if options.get("cache") else None
    detector = PipelineDetector(
        Options(regions=tuple(options["regions"]), cache=cache, uses_models=options["uses_models"])
    )
    done = 0
    # One line comes for each that goes, so that nothing waits in the buffer when the pipe is asked
    while done < MOST_TEXTS and select.select([texts], [], [], IDLE_SECONDS)[0]:
        line = texts.readline()
        if not line:
            return
        asked = json.loads(line)
        portion = [Text(text, language) for text, language in asked["texts"]]
        found = [dataclasses.asdict(one) for one in detector.detect(portion, Profile(asked["profile"]))]
        answer = {"found": found, "degraded": list(detector.degraded)}
        answers.write(json.dumps(answer).encode() + b"\n")
        answers.flush()
        done += len(portion)


if __name__ == "__main__":
    with os.fdopen(os.dup(1), "wb") as own, contextlib.redirect_stdout(sys.stderr):
        os.dup2(2, 1)
        main(json.loads(sys.argv[1]), sys.stdin.buffer, own)
