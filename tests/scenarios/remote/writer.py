"""Writes rows with unique ids until a stop, and prints which writes were acknowledged, and when.

The session is the one of tests/hosts/remote/proxy.py, which precedes this text. A write that was answered with a
warning counts as not acknowledged: it may be on only one host.
"""

import json
import os
import threading
import time

asked = json.loads("ARGUMENT")
deadline = time.time() + asked["seconds"]
acknowledged, doubtful, errors = {}, [], {}
lock = threading.Lock()


def over():
    return time.time() > deadline or os.path.exists(asked["stop"])


def write(writer, target):
    session, number = None, 0
    while not over():
        number += 1
        name = f"{asked['run']}-{target['name']}-{writer}-{number}"
        try:
            if session is None:
                where = (target["address"], target["port"], *asked["login"], asked["ca"], asked["patience"])
                session = Session(*where)  # noqa: F821
            session.notices.clear()
            session.query(f"insert into {asked['table']} values ('{name}')")
            with lock:
                if session.notices:
                    doubtful.append(name)
                else:
                    acknowledged[name] = time.time()
            time.sleep(asked["pause"])
        except (OSError, Refused) as error:  # noqa: F821
            with lock:
                why = f"{target['name']}: {error}"[:120]
                errors[why] = errors.get(why, 0) + 1
            if session:
                session.close()
            session = None
            time.sleep(0.2)


threads = [
    threading.Thread(target=write, args=(writer, target))
    for target in asked["targets"]
    for writer in range(target["writers"])
]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(json.dumps({"acknowledged": acknowledged, "doubtful": doubtful, "errors": errors}))
