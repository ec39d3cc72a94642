"""Settings of the address that edge hosts share."""

# The shared address with its prefix, "198.51.100.10/24", to which DNS points. Empty: edge hosts share none, and DNS
# names the address of each. It must be free, and in the network of the edge hosts.
keepalived_address: str = ""
keepalived_interface: str = ""  # the interface that gets it, as `ip address` names it; hosts may differ
keepalived_router_id: int = 51  # number of the group of edge hosts, 1 to 255: unique in their network
keepalived_advert_seconds: float = 0.5  # time between two signs of life; three missed ones move the address
keepalived_check_seconds: int = 1  # time between two questions to Nginx; two without an answer move the address
