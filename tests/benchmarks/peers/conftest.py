"""The programs in C can be tested where they can be compiled; what is said elsewhere is tested everywhere."""

import shutil

collect_ignore = [] if shutil.which("cc") else ["test_programs.py", "test_rounds.py"]
