"""Write a page with the alerts that fire and the plots of all dashboards.

    make report NEXUS_ENV=staging
    pyinfra inventory deploys/report.py --data hours=24

Changes nothing. It asks Prometheus on an ops host, and writes reports/platform-ENV.html.
"""

from nexus.run.arguments import Number, arguments
from runbooks.report import platform_report

given = arguments(read_only=True, hours=Number("how many hours to show", 3))
platform_report(hours=given.hours)
