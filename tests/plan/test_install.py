"""The programs of a checkout's virtual environment work in any checkout."""

import subprocess
import sys


def test_installed_programs_contain_no_path_of_this_checkout(tmp_path):
    command = [sys.executable, "-c", "import nexus"]
    done = subprocess.run(command, cwd=tmp_path, env={}, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert "No module named 'nexus'" in done.stderr
