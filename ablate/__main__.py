"""`python -m ablate` is `ablate`."""

import sys

from ablate.cli.main import main

sys.exit(main())
