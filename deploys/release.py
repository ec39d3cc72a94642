"""A new release of services: in dependency order, watched, and taken back where it is worse than the old one.

    pyinfra inventory deploys/release.py --data services=auth-service,user-auth --data release=2.4.1

`services=all` means the whole platform; `canary=10` gives a release a share of the traffic first; `build=true`
builds its images from the sources at hand; `--dry` says what would happen. One that fails is taken back, and
`release_on_failure` says what becomes of the others.
"""

from roles.release import release

release()
