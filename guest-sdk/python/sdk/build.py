"""Builds a behavior: `python vespeiro/build.py MODULE` in the folder of behavior.py, with the tools of requirements.txt.
The component that it makes imports the host of the contract, and WASI, which the host has locked down: no file, no socket, and a clock
and randomness that are the session's own.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

from unyielded import unyielded

SDK = Path(__file__).resolve().parent
PROJECT = SDK.parent
#: componentize-py looks for the exported functions and for the exported resource in modules of these names.
APP = "from vespeiro.module import Behavior as VespeiroBehavior\n"
RESOURCE = "from vespeiro.module import Session as Session\n"
INTERFACE = "vespeiro_behavior"


def main():
    if len(sys.argv) != 2:
        sys.exit("usage: python vespeiro/build.py MODULE")
    module = Path(sys.argv[1]).resolve()
    # Those beside behavior.py, and in folders that are packages; the SDK and the tools are not the author's.
    files = [*PROJECT.glob("*.py"), *(file for init in PROJECT.glob("*/__init__.py") for file in init.parent.rglob("*.py"))]
    files = sorted(file for file in files if SDK not in file.parents)
    lost = [line for file in files for line in unyielded(file.read_text(), str(file.relative_to(PROJECT)))]
    if lost:
        sys.exit("\n".join(lost))
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "vespeiro_app.py").write_text(APP)
        Path(folder, f"{INTERFACE}.py").write_text(RESOURCE)
        command = [
            str(Path(sys.executable).with_name("componentize-py")), "--quiet",
            "--wit-path", str(SDK / "wit" / "0.2"), "--world", "archetype",
            "--export-interface-name", f"vespeiro:behavior/behavior@0.2.0={INTERFACE}",
            "componentize", "vespeiro_app",
            "--python-path", folder, "--python-path", str(PROJECT), "--output", str(module),
        ]  # fmt: skip
        if subprocess.run(command).returncode != 0:
            sys.exit(f"{module.name} was not built: see above")
    print(f"{module.name}: {module.stat().st_size / 2**20:.1f} MiB")


main()
