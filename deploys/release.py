"""Release services in dependency order, watch them, and take a release back if it does worse than the old one.

    pyinfra inventory deploys/release.py --data services=auth-service,user-auth --data release=2.4.1
    pyinfra inventory deploys/release.py --data frontends=core-os

`services=all` means the whole platform. `canary=10` first gives a release a share of the traffic. `build=true` builds
its images from the sources at hand. `frontends=core-os` builds a front end and shows it on all edge hosts, and has no
number: its content names it. `--dry` shows what would happen. A failed release is taken back, and
`release_on_failure` decides whether the others stay.
"""

from nexus.run.arguments import Flag, Number, Services, Word, arguments
from runbooks.release import release

given = arguments(
    services=Services("the services to release"),
    canary=Number("percent of the traffic that the new release gets first; 0 replaces the old one at once", 0),
    frontends=Word("the front ends to release, separated by commas, or all"),
    build=Flag("build the images of this release first, from the sources at hand"),
)
release(given.services, given.canary, given.build, given.frontends)
