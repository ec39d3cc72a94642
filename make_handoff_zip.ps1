# Makes pages and bundles of the handoff, as scripts/package-thiio-bundle.sh does on Linux and macOS.
# It was never executed by this project's tests, which only check that it parses and calls the same program.
param(
    [string]$Environment = "lab",
    [string]$Observation = "stored",
    [string]$Drift = "refuse"
)
$ErrorActionPreference = "Stop"
Set-Location $PSScriptRoot
if (-not (Test-Path ".venv")) {
    python -m venv .venv
    .venv\Scripts\python.exe -m pip install -q -c constraints.txt .
}
.venv\Scripts\python.exe -m runbooks.handoff $Environment "observation=$Observation" "drift=$Drift"
exit $LASTEXITCODE
