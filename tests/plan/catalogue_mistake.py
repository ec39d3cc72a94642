"""Mistakes in one file or between entries: file, edit, and the entry, field and message of the one problem."""

from __future__ import annotations

ONE_MISTAKE = {
    "name that no alert can have": (
        "operations.yaml",
        ("name: EtcdFsyncSlow", "name: /"),
        ("/", "name", "'/' is wrong: write a name such as DiskSpaceLow"),
    ),
    "unknown dependency": (
        "services.yaml",
        ("depends_on: [session-mgr]", "depends_on: [sesion-mgr]"),
        ("user-auth", "depends_on", "'sesion-mgr' is not a service in the catalogue; did you mean 'session-mgr'?"),
    ),
    "unknown store": (
        "services.yaml",
        ("stores: [postgresql, mongodb, object-storage]", "stores: [postgresql, mongdb, object-storage]"),
        ("content-management", "stores", "'mongdb' is not a store in the catalogue; did you mean 'mongodb'?"),
    ),
    "missing schema": (
        "services.yaml",
        ("schema: invoice-gen.sql", "schema: invoices-gen.sql"),
        (
            "invoice-gen",
            "schema",
            "'invoices-gen.sql' is not in group_data/catalogue/schema; did you mean 'invoice-gen.sql'?",
        ),
    ),
    "schema given as a path": (
        "services.yaml",
        ("schema: invoice-gen.sql", "schema: ../schema/invoice-gen.sql"),
        ("invoice-gen", "schema", "write the name of a file in group_data/catalogue/schema, such as invoice-gen.sql"),
    ),
    "schema without a database": (
        "services.yaml",
        ('redis_key_prefixes: ["session:"]', 'redis_key_prefixes: ["session:"]\n    schema: invoice-gen.sql'),
        ("session-mgr", "schema", "postgresql is not among its stores; add it, or drop this"),
    ),
    "schema that changes something": (
        "schema/invoice-gen.sql",
        ("CREATE INDEX invoices_status ON", "ALTER TABLE invoices ADD note text;\nCREATE INDEX invoices_status ON"),
        ("invoice-gen", "schema", "a first schema only creates; changes belong to the service's migration"),
    ),
    "schema that cannot be parsed": (
        "schema/invoice-gen.sql",
        ("CREATE INDEX invoices_status ON", "CREATE INDEXES invoices_status ON"),
        ("invoice-gen", "schema", "PostgreSQL cannot read this: syntax error at or near"),
    ),
    "unknown category": (
        "services.yaml",
        ("category: streaming", "category: steaming"),
        (
            "streaming-service-v2",
            "category",
            "'steaming' is not a category in the catalogue; did you mean 'streaming'?",
        ),
    ),
    "unknown domain": (
        "services.yaml",
        ("domain: finance", "domain: finances"),
        ("puabo-blac-loan-processor", "domain", "did you mean 'finance'?"),
    ),
    "duplicate port": (
        "services.yaml",
        ("port: 3062", "port: 3061"),
        ("puabo-nexus-route-optimizer", "port", "3061 is already used in line"),
    ),
    "duplicate key": (
        "services.yaml",
        ("    port: 3062\n", "    port: 3062\n    port: 3063\n"),
        ("puabo-nexus-route-optimizer", "port", "key 'port' appears twice"),
    ),
    "unknown field": (
        "services.yaml",
        ("    gpu: 1\n", "    gpus: 1\n"),
        ("kei-ai", "gpus", "is not a field here; did you mean 'gpu'?"),
    ),
    "unknown nested field": (
        "services.yaml",
        ("language: python", "lang: python"),
        ("billing-service", "source.lang", "did you mean 'language'?"),
    ),
    "port as text": ("services.yaml", ("port: 3062", "port: http"), ("puabo-nexus-route-optimizer", "port", "'http'")),
    "port out of range": (
        "services.yaml",
        ("port: 3062", "port: 70000"),
        ("puabo-nexus-route-optimizer", "port", "70000 is wrong: input should be less than or equal to 65535"),
    ),
    "no replica": ("services.yaml", ("replicas: 5", "replicas: 0"), ("streaming-service-v2", "replicas", "0 is wrong")),
    "cpu": (
        "services.yaml",
        ("cpu: 250m", "cpu: 250 m"),
        ("session-mgr", "cpu", "'250 m' is wrong: write thousandths"),
    ),
    "memory": ("services.yaml", ("memory: 512Mi", "memory: 512MB"), ("session-mgr", "memory", "as 512Mi or 2Gi")),
    "unknown phase": (
        "services.yaml",
        ("startup_phase: 4", "startup_phase: 9"),
        ("auth-service-v2", "startup_phase", "9 is not a phase in the catalogue; known: 1, 2, 3, 4, 5"),
    ),
    "count of a category": (
        "services.yaml",
        ("- {name: ai}", "- {name: ai, services: 6}"),
        ("ai", "services", "6 services are stated, but 5 were found"),
    ),
    "count of a domain": (
        "services.yaml",
        ("namespace: nexus-finance}", "namespace: nexus-finance, services: 1}"),
        ("finance", "services", "1 services are stated, but 2 were found"),
    ),
    "key prefix of another service": (
        "services.yaml",
        ('redis_key_prefixes: ["blacklist:"]', 'redis_key_prefixes: ["session-mgr:"]'),
        ("token-mgr", "redis_key_prefixes", "'session-mgr:' overlaps 'session-mgr:' of session-mgr"),
    ),
    "key prefix without redis": (
        "services.yaml",
        ("    handshake: true\n", '    handshake: true\n    redis_key_prefixes: ["user:"]\n'),
        ("user-auth", "redis_key_prefixes", "redis is not among its stores"),
    ),
    "event of a service without rabbitmq": (
        "services.yaml",
        ("consumers: [ledger-mgr, invoice-gen]", "consumers: [ledger-mgr, glitch]"),
        ("PaymentProcessed", "consumers", "'glitch' lacks rabbitmq in its stores"),
    ),
    "unknown service in a flow": (
        "services.yaml",
        ("ai: [backend-api, kei-ai, ai-service]", "ai: [backend-api, key-ai, ai-service]"),
        ("flows", "ai", "did you mean 'kei-ai'?"),
    ),
    "dependency named twice": (
        "services.yaml",
        ("depends_on: [auth-service, token-mgr]", "depends_on: [token-mgr, token-mgr]"),
        ("auth-service-v2", "depends_on", "'token-mgr' is listed 2 times"),
    ),
    "unknown service of a route": (
        "gateway.yaml",
        ("service: glitch,", "service: glitsch,"),
        ("/api/errors/", "service", "'glitsch' is not a service in the catalogue; did you mean 'glitch'?"),
    ),
    "two routes with one path": (
        "gateway.yaml",
        ("path: /api/loans/", "path: /api/risk/"),
        ("/api/risk/", "path", "'/api/risk/' is already used in line"),
    ),
    "two windows with one name": (
        "gateway.yaml",
        ("name: user, key: user", "name: gateway, key: user"),
        ("gateway", "name", "'gateway' is already used in line"),
    ),
    "Redis instance without redis": (
        "services.yaml",
        ("    handshake: true\n", "    handshake: true\n    redis_instance: persistent\n"),
        ("user-auth", "redis_instance", "redis is not among its stores"),
    ),
    "target without a slash at its end": (
        "gateway.yaml",
        ("upstream_path: /sessions/", "upstream_path: /sessions"),
        ("/api/sessions/", "upstream_path", "end it with a slash"),
    ),
    "unknown method": (
        "gateway.yaml",
        ("methods: [GET]", "methods: [GTE]"),
        ("/api/stream/", "methods", "'GTE' is wrong"),
    ),
    "unknown service of a timeout": (
        "gateway.yaml",
        ("streaming-service-v2: 10000", "streaming-service: 10000"),
        ("timeouts_ms", "services.streaming-service", "did you mean 'streaming-service-v2'?"),
    ),
    "unknown service of a module": (
        "modules.yaml",
        ("services: [streamcore, streaming-service-v2", "services: [streamcor, streaming-service-v2"),
        ("streamcore", "services", "did you mean 'streamcore'?"),
    ),
    "negative number": (
        "operations.yaml",
        ("rpo_hours: 1", "rpo_hours: -1"),
        ("disaster_recovery", "rpo_hours", "-1 is wrong"),
    ),
    "alert with two conditions": (
        "operations.yaml",
        ("name: HighCPU", "name: HighCPU\n      below: 0.1"),
        ("HighCPU", "below", "give exactly one of above, below and equals"),
    ),
    "unknown service to roll back": (
        "operations.yaml",
        ("order: [auth-service, backend-api", "order: [auth-service, backend-apy"),
        ("rollback", "order", "did you mean 'backend-api'?"),
    ),
    "store on the wrong group": (
        "operations.yaml",
        ("mongodb: {group: mongodb,", "mongodb: {group: rabbitmq,"),
        ("stores", "mongodb.group", "'rabbitmq' is wrong: mongodb is installed on the group mongodb"),
    ),
    "unknown group of a port": (
        "operations.yaml",
        ("port: 22, groups: [edge, app, data, ops]", "port: 22, groups: [edge, apps, data, ops]"),
        ("ssh", "groups", "'apps' is wrong: did you mean 'app'?"),
    ),
    "infinite number": (
        "operations.yaml",
        ("rpo_hours: 1", "rpo_hours: .inf"),
        ("disaster_recovery", "rpo_hours", ".inf is not a plain decimal number"),
    ),
    "number as text": (
        "operations.yaml",
        ("mttr_hours: 1", 'mttr_hours: "1"'),
        ("slo", "mttr_hours", "'1' is wrong: input should be a valid number"),
    ),
    "yes for a number": (
        "operations.yaml",
        ("mttr_hours: 1", "mttr_hours: yes"),
        ("slo", "mttr_hours", "True is wrong: input should be a valid number"),
    ),
    "timer of another service": (
        "operations.yaml",
        ("service: nexus-cos-backup.service", "service: nexus-backup.service"),
        ("backups", "service", "nexus-cos-backup.timer starts the service of the same name"),
    ),
    "number that YAML reads as octal": (
        "services.yaml",
        ("port: 3062", "port: 03062"),
        ("puabo-nexus-route-optimizer", "port", "03062 is not a plain decimal number"),
    ),
    "too many replicas": (
        "services.yaml",
        ("replicas: 5", "replicas: 5000"),
        ("streaming-service-v2", "replicas", "5000 is wrong: input should be less than or equal to 1000"),
    ),
    "path outside the checkout": (
        "services.yaml",
        ("entry: fleet-manager/index.js", "entry: ../fleet-manager/index.js"),
        ("puabo-nexus", "source.entry", "write a path below the checkout"),
    ),
    "text of two lines": (
        "services.yaml",
        ("LOG_LEVEL: info", 'LOG_LEVEL: "info\\nX=1"'),
        ("environment", "common.LOG_LEVEL", "write one line of printable characters"),
    ),
    "status of a functional check": (
        "services.yaml",
        ('/api/sessions/session:{mark}:0", status: 404', '/api/sessions/session:{mark}:0", status: 40'),
        ("session-mgr", "functional.requests.status", "40 is wrong"),
    ),
    "alias": (
        "gateway.yaml",
        ("value: 55-45-17\n  env: N3XUS_HANDSHAKE", "value: &a 55-45-17\n  env: *a"),
        ("handshake", "env", "is an alias (*): write the value itself"),
    ),
    "tag": (
        "gateway.yaml",
        ("cdn: [cloudflare, cloudfront]", "cdn: !list [cloudflare, cloudfront]"),
        ("edge", "cdn", "has the tag !list: write the value without it"),
    ),
    "two locations with one path": (
        "gateway.yaml",
        ("path: /api/nexus/,", "path: /api/dsp/upload/,"),
        ("/api/dsp/upload/", "path", "'/api/dsp/upload/' is already a path of /api/dsp/upload"),
    ),
    "header that closes its quotes": (
        "gateway.yaml",
        ("X-Frame-Options: SAMEORIGIN", "X-Frame-Options: 'SAMEORIGIN\" always; #'"),
        ("security_headers", "X-Frame-Options", "write a valid header value"),
    ),
    "unknown version": (
        "gateway.yaml",
        ("default: v2 ", "default: v3 "),
        ("versioning", "default", "'v3': write one of v1, v2"),
    ),
}
# A required field under another name: the missing field is reported too.
