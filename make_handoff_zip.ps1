# Makes pages and bundles of the handoff with scripts/package-thiio-bundle.sh: on Windows in WSL, elsewhere directly.
# It was never executed by this project's tests, which only check that it parses and calls that script.
param(
    [string]$Environment = "lab",
    [string]$Observation = "stored",
    [string]$Drift = "refuse"
)
$ErrorActionPreference = "Stop"
Set-Location $PSScriptRoot
$words = @("NEXUS_ENV=$Environment", "sh", "scripts/package-thiio-bundle.sh", "observation=$Observation", "drift=$Drift")
if ($IsLinux -or $IsMacOS) {
    & env @words
} elseif (Get-Command wsl.exe -ErrorAction SilentlyContinue) {
    & wsl.exe --exec env @words
} else {
    Write-Error "This project needs Linux, and WSL is not installed: run wsl --install -d Debian, then this script again."
}
exit $LASTEXITCODE
