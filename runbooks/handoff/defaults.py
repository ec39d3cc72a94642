"""Settings of the handoff documents and bundles."""

handoff_directory: str = "dist"  # where pages, bundles and observations are written
handoff_technical_lead: str = "owner+tech@nexuscos.example.com"  # contact on the pages for technical questions
handoff_coordinator: str = "owner+handoff@nexuscos.example.com"  # contact for the handoff itself
handoff_emergency: str = "owner+emergency@nexuscos.example.com"  # contact for emergencies
handoff_signing_key: str = ""  # SSH private key that signs the manifests of bundles; empty: they are not signed
