"""A new release of services: in dependency order, watched, and taken back where it is worse than the old one.

    pyinfra inventory deploys/release.py --data services=auth-service,user-auth --data release=2.4.1

`services=all` means the whole platform; `canary=10` gives a release a share of the traffic first; `build=true`
builds its images from the sources at hand; `--dry` says what would happen. One that fails is taken back, and
`release_on_failure` says what becomes of the others.
"""

from nexus.run.arguments import Flag, Number, Services, arguments
from runbooks.release import release

given = arguments(
    services=Services("the services to release"),
    canary=Number("percent of the traffic for the new release at first; 0 replaces the old one at once", 0),
    build=Flag("build the images of this release first, from the sources at hand"),
)
release(given.services, given.canary, given.build)
