module nexus-cos/tests/kubernetes/definitions

go 1.24.0

require (
	github.com/external-secrets/external-secrets v1.3.2
	sigs.k8s.io/gateway-api v1.4.1
)
