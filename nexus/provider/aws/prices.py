"""Prices of what this provider makes, in US dollars without taxes, on demand.

Facts: AWS's public price pages for EC2 (Linux), EBS, VPC and Route 53, entered by hand on 2026-11-30. Compared on
2026-12-01 with lists that others publish, and equal, except: c6i and r6i of eu-west-1 were not found elsewhere, and
lists differ about the NAT gateway of eu-central-1 (0.048 and 0.052). Traffic, snapshots and objects are not in here.
"""

DATED = "2026-11-30"
HOURS = 730  # of a month

# region: (instance type: an hour, gp3: a GiB and month, NAT gateway: an hour)
INSTANCE_HOUR = {
    "us-east-1": {
        "t3.medium": 0.0416, "t3.large": 0.0832, "t3.xlarge": 0.1664, "m6i.large": 0.096, "m6i.xlarge": 0.192,
        "m6i.2xlarge": 0.384, "m6i.4xlarge": 0.768, "c6i.xlarge": 0.17, "c6i.2xlarge": 0.34, "r6i.large": 0.126,
        "r6i.xlarge": 0.252, "r6i.2xlarge": 0.504,
    },
    "eu-central-1": {
        "t3.medium": 0.048, "t3.large": 0.096, "t3.xlarge": 0.192, "m6i.large": 0.115, "m6i.xlarge": 0.23,
        "m6i.2xlarge": 0.46, "m6i.4xlarge": 0.92, "c6i.xlarge": 0.194, "c6i.2xlarge": 0.388, "r6i.large": 0.152,
        "r6i.xlarge": 0.304, "r6i.2xlarge": 0.608,
    },
    "eu-west-1": {
        "t3.medium": 0.0456, "t3.large": 0.0912, "t3.xlarge": 0.1824, "m6i.large": 0.107, "m6i.xlarge": 0.214,
        "m6i.2xlarge": 0.428, "m6i.4xlarge": 0.856, "c6i.xlarge": 0.1824, "c6i.2xlarge": 0.3648, "r6i.large": 0.141,
        "r6i.xlarge": 0.282, "r6i.2xlarge": 0.564,
    },
}  # fmt: skip
VOLUME_MONTH = {"us-east-1": 0.08, "eu-central-1": 0.0952, "eu-west-1": 0.088}  # a GiB of gp3
NAT_HOUR = {"us-east-1": 0.045, "eu-central-1": 0.052, "eu-west-1": 0.048}
ADDRESS_HOUR = 0.005  # a public IPv4 address, everywhere
ZONE_MONTH = 0.50
