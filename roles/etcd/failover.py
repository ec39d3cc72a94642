"""The reasons why operators never fail over or rebuild etcd."""

STORE, TITLE = "etcd", "etcd"
NO_SWITCH = "etcd's members elect their leader themselves, and any of them takes writes"
NO_REBUILD = "a member of etcd is removed and joins again with deploys/data.py"
