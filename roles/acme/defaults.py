"""Settings of public certificates by ACME. The role is off while `acme_directories` is empty."""

# Directories of authorities, the preferred one first: the next one is asked when it fails. Empty: the role is off.
# Let's Encrypt: https://acme-v02.api.letsencrypt.org/directory
acme_directories: list[str] = []
# A directory where an order must succeed before the first one for these names at an authority above; empty: none.
# Let's Encrypt: https://acme-staging-v02.api.letsencrypt.org/directory
acme_staging_directory: str = ""
acme_names: list[str] = []  # names in the certificate, in addition to DOMAIN and api.DOMAIN
acme_contact: str = ""  # a mail address for the authority; many send no mail any more
acme_profile: str = ""  # the profile to order, such as tlsserver or shortlived; empty: the authority's default
acme_challenge: str = "http"  # how names are proven: http, dns-rfc2136 or dns-route53
# Accounts that an authority requires, {directory: key id}; the secret acme/external-key/KEY-ID has the key.
acme_external_accounts: dict[str, str] = {}
acme_ca_file: str = ""  # a file on ops hosts with the CAs that directories' own HTTPS is trusted by; empty: Debian's
acme_resolvers: list[str] = []  # DNS servers, as ADDRESS or ADDRESS:PORT; empty: those of the ops host
acme_check_seconds: int = 90  # time between two starts of the program on ops hosts
acme_information_seconds: int = 600  # longest time between two questions for an authority's renewal information
acme_port: int = 7443  # the port of edge hosts where ops hosts deliver the certificate, over mutual TLS

acme_dns_zone: str = ""  # the zone that challenges are written to; _acme-challenge.NAME may be a CNAME into it
acme_dns_server: str = ""  # RFC 2136: the primary server of the zone, as ADDRESS or ADDRESS:PORT
acme_dns_key_name: str = ""  # RFC 2136: the name of the TSIG key; its value is the secret acme/dns-key
acme_dns_key_algorithm: str = "hmac-sha256"  # RFC 2136: the algorithm of the TSIG key
acme_dns_wait_seconds: int = 10  # RFC 2136: time that secondary servers of the zone need for a change
# Route 53: the id of the hosted zone. Without the secret acme/route53 (ACCESS-KEY:SECRET-KEY) the host's role is used.
acme_route53_zone: str = ""
