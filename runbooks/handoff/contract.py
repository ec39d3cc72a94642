"""The contract of the handoff: the documented tree, and the files of the bundle in their groups."""

from nexus.environment.environment import Environment

TREE = "docs/THIIO-HANDOFF"
PACKAGE = "Nexus-COS-THIIO-FullHandoff"
FULL_PACKAGE = "Nexus-COS-THIIO-FullStack"
OUTSIDE = ("PROJECT-OVERVIEW.md", "THIIO-ONBOARDING.md", "CHANGELOG.md", "deployment-manifest.json")
NAMED = {  # folders of the tree and the files that the contract names in them
    "architecture": (
        "system-overview.md", "service-map.md", "architecture-overview.md", "api-gateway-map.md", "data-flow.md",
        "infrastructure-diagram.md", "service-dependencies.md",
    ),
    "services": ("README.md", "service-template.md", "core-auth.md"),
    "modules": ("README.md", "module-template.md"),
    "operations": (
        "runbook-daily-ops.md", "runbook-monitoring.md", "runbook-rollback.md", "runbook-performance.md",
        "runbook-failover.md", "runbook.md", "monitoring-guide.md", "performance-tuning.md", "rollback-strategy.md",
        "failover-plan.md",
    ),
    "frontend": ("vite-guide.md", "nexus-stream-vite-frontend.md"),
    "deployment": ("deployment-manifest.yaml",),
}  # fmt: skip
BUNDLE = {  # the files of the bundle, in order, by group
    "packaging": ("scripts/package-thiio-bundle.sh", "make_handoff_zip.ps1"),
    "workflow": (".github/workflows/bundle-thiio-handoff.yml",),
    "root": (f"{TREE}/README.md", "PROJECT-OVERVIEW.md", "THIIO-ONBOARDING.md", "CHANGELOG.md"),
    "architecture": (
        f"{TREE}/architecture/system-overview.md", f"{TREE}/architecture/service-map.md", "deployment-manifest.json",
    ),
    "operations": tuple(f"{TREE}/operations/{name}" for name in NAMED["operations"][:5]),
    "services": tuple(f"{TREE}/services/{name}" for name in NAMED["services"]),
    "modules": tuple(f"{TREE}/modules/{name}" for name in NAMED["modules"]),
    "frontend": (f"{TREE}/frontend/vite-guide.md",),
    "deployment": ("scripts/generate-k8s-configs.sh", "scripts/run-local"),
}  # fmt: skip
FILE_COUNT = 23


def bundle_files() -> list[str]:
    """The files of the bundle."""
    return [path for paths in BUNDLE.values() for path in paths]


def group_of(path: str) -> str:
    """The group of a file of the bundle."""
    return next(group for group, paths in BUNDLE.items() if path in paths)


def tree(env: Environment) -> list[str]:
    """Every file that the handoff of an environment has, apart from Compose and Kubernetes below deployment/."""
    inside = [f"{folder}/{name}" for folder, names in NAMED.items() for name in names]
    inside += [f"services/{name}.md" for name in env.catalogue.services]
    inside += [f"modules/{module.slug}.md" for module in env.catalogue.modules]
    return sorted([f"{TREE}/README.md", *(f"{TREE}/{path}" for path in inside), *OUTSIDE])
