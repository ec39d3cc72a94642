"""Settings of the provider `aws`. Only environments with `provider = "aws"` read them."""

from typing import Any

aws_region: str = "eu-central-1"  # region of the whole environment
aws_zones: list[str] = ["a", "b", "c"]  # three availability zones of the region, by their last letter
aws_zone: str = ""  # zone of a host, in its inventory entry; if empty, by the number at the end of its name
aws_network: str = "10.0.0.0/16"  # range of the VPC; its first nine parts of equal size are the subnets
# NAT gateways for hosts without a public address: 1, or 3 for one in each zone. 0: every host has a public address
aws_nat_gateways: int = 1
aws_image: str = ""  # id of Debian's own image of Debian 13 in this region, such as "ami-0123456789abcdef0"
aws_instance_type: str = "m6i.xlarge"  # size of a host; group data of a group, or the host's entry, may differ
aws_generation: int = 1  # of a host, in its inventory entry: a higher number replaces a host that holds no data
aws_root_gibibytes: int = 40  # size of a host's own disk
aws_volume_gibibytes: int = 50  # size of the volume of each store on each of its hosts; it may grow
aws_volume_gibibytes_of: dict[str, int] = {}  # the same for some stores, such as {"postgresql": 200}
aws_authorized_keys: list[str] = []  # lines of authorized_keys for `base_user` of new hosts
aws_jump_group: str = "edge"  # group whose first host is the way to hosts without a public address
# Where hosts may connect to outside of the VPC; inside, the receiving host's rules decide
aws_egress: list[dict[str, Any]] = [
    {"protocol": "tcp", "port": 80, "to": "0.0.0.0/0", "why": "packages"},
    {"protocol": "tcp", "port": 443, "to": "0.0.0.0/0", "why": "packages and external services"},
    {"protocol": "udp", "port": 123, "to": "0.0.0.0/0", "why": "time"},
]
aws_bucket: str = ""  # name of the bucket of backups, the same as storage_bucket; if empty, there is none
# Beginnings of the keys that hosts may use by their instance profile
aws_bucket_prefixes: list[str] = ["postgres*", "safety", "redis", "rabbitmq", "mongodb", "environment", "logs"]
aws_bucket_days: int = 35  # former versions of its objects are deleted after this time
aws_dns: bool = True  # whether the zone of `domain` and its records are kept in Route 53
