"""`python -m privacyops` and the `privacyops` command."""

from privacyops.cli.app import main

if __name__ == "__main__":
    main()
