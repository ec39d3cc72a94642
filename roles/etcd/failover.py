"""Why nothing of etcd is failed over or copied again by hand."""

STORE, TITLE = "etcd", "etcd"
NO_SWITCH = "etcd's members elect their leader by themselves, and any of them takes writes"
NO_REBUILD = "a member of etcd is taken out and joins again by deploys/data.py"
