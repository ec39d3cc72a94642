"""Schemas of the kinds that Gateway API and External Secrets add, for the fields that we write, and no others."""

from collections.abc import Mapping
from typing import Any

Schema = dict[str, Any]
TEXT: Schema = {"type": "string", "minLength": 1}
PORT: Schema = {"type": "integer", "minimum": 1, "maximum": 65535}
LABELS: Schema = {"type": "object", "additionalProperties": {"type": "string"}}


def _object(required: Mapping[str, Schema], optional: Mapping[str, Schema] | None = None) -> Schema:
    return {
        "type": "object",
        "properties": {**required, **(optional or {})},
        "required": list(required),
        "additionalProperties": False,
    }


def _list(of: Schema, most: int = 64) -> Schema:
    return {"type": "array", "items": of, "minItems": 1, "maxItems": most}


def _whole(api: str, kind: str, spec: Schema) -> Schema:
    metadata = _object({"name": TEXT, "namespace": TEXT, "labels": LABELS}, {"annotations": LABELS})
    return _object({"apiVersion": {"const": api}, "kind": {"const": kind}, "metadata": metadata, "spec": spec})


_HEADER = _object({"name": TEXT, "value": TEXT})
_PATH = {"type": "string", "pattern": "^/[^ ]*$", "maxLength": 1024}
_MATCH = _object(
    {"path": _object({"type": {"enum": ["Exact", "PathPrefix"]}, "value": _PATH})},
    {"method": {"enum": ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]}},
)
_MODIFIER = _object({}, {"set": _list(_HEADER, 16), "remove": _list(TEXT, 16)})
_REWRITE = {
    "oneOf": [
        _object({"type": {"const": "ReplaceFullPath"}, "replaceFullPath": _PATH}),
        _object({"type": {"const": "ReplacePrefixMatch"}, "replacePrefixMatch": _PATH}),
    ]
}
_FILTER = {
    "oneOf": [
        _object({"type": {"const": "RequestHeaderModifier"}, "requestHeaderModifier": _MODIFIER}),
        _object({"type": {"const": "URLRewrite"}, "urlRewrite": _object({"path": _REWRITE})}),
    ]
}
_TIMEOUT = {"type": "string", "pattern": "^([0-9]{1,5}(h|m|s|ms)){1,4}$"}
_RULE = _object(
    {
        "matches": _list(_MATCH),
        "filters": _list(_FILTER, 16),
        "backendRefs": _list(_object({"name": TEXT, "port": PORT}), 16),
    },
    {"timeouts": _object({"request": _TIMEOUT})},
)
_HTTP_ROUTE = _object(
    {
        "parentRefs": _list(_object({"name": TEXT, "namespace": TEXT})),
        "hostnames": _list(TEXT, 16),
        "rules": _list(_RULE, 16),
    }
)
_LISTENER = _object(
    {
        "name": TEXT,
        "hostname": TEXT,
        "port": PORT,
        "protocol": {"enum": ["HTTPS"]},
        "tls": _object(
            {
                "mode": {"enum": ["Terminate"]},
                "certificateRefs": _list(_object({"kind": {"const": "Secret"}, "name": TEXT})),
            }
        ),
        "allowedRoutes": _object(
            {
                "namespaces": _object(
                    {
                        "from": {"enum": ["Selector"]},
                        "selector": _object({"matchLabels": {**LABELS, "minProperties": 1}}),
                    }
                )
            }
        ),
    }
)
_EXTERNAL_SECRET = _object(
    {
        "refreshInterval": {"type": "string", "pattern": "^[0-9]+(ms|s|m|h)$"},
        "secretStoreRef": _object({"kind": {"enum": ["ClusterSecretStore", "SecretStore"]}, "name": TEXT}),
        "target": _object({"name": TEXT, "creationPolicy": {"enum": ["Owner"]}, "template": _object({"type": TEXT})}),
        "dataFrom": _list(_object({"extract": _object({"key": TEXT})})),
    }
)
_GATEWAY_API, _EXTERNAL = "gateway.networking.k8s.io/v1", "external-secrets.io/v1"
EXTENSIONS: Mapping[tuple[str, str], Schema] = {
    (_GATEWAY_API, "HTTPRoute"): _whole(_GATEWAY_API, "HTTPRoute", _HTTP_ROUTE),
    (_GATEWAY_API, "Gateway"): _whole(
        _GATEWAY_API, "Gateway", _object({"gatewayClassName": TEXT, "listeners": _list(_LISTENER)})
    ),
    (_EXTERNAL, "ExternalSecret"): _whole(_EXTERNAL, "ExternalSecret", _EXTERNAL_SECRET),
}
