"""What a program in Python says to Consul: python-consul or py-consul, unchanged."""

import os
import sys
import threading
import time

import consul

port = int(os.environ["CONSUL_HTTP_ADDR"].rsplit(":", 1)[1])
failed = False


def client():
    return consul.Consul(host="127.0.0.1", port=port)


def show(name, test):
    global failed
    try:
        test(client())
        print(f"ok {name}")
    except Exception as error:  # Whatever it is, the others are to run too.
        failed = True
        print(f"FAIL {name}: {type(error).__name__}: {error}")


def key_values(c):
    assert c.kv.put("py/a", "1") is True
    index, data = c.kv.get("py/a")
    assert data["Value"] == b"1", data
    assert c.kv.put("py/a", "2", cas=data["ModifyIndex"]) is True
    assert c.kv.put("py/a", "3", cas=data["ModifyIndex"]) is False
    assert c.kv.get("py/", keys=True)[1] == ["py/a"]
    assert c.kv.delete("py/", recurse=True) is True
    assert c.kv.get("py/a")[1] is None


def wakes(c):
    index, _ = c.kv.get("py-wait")
    threading.Timer(0.2, lambda: client().kv.put("py-wait", "x")).start()
    _, data = c.kv.get("py-wait", index=index, wait="20s")
    assert data["Value"] == b"x", data


def locks(c):
    a = c.session.create(name="py", ttl=10, lock_delay=1, behavior="release")
    b = c.session.create(ttl=10)
    assert c.kv.put("py-lock", "x", acquire=a) is True
    assert c.kv.put("py-lock", "x", acquire=b) is False
    assert c.kv.put("py-lock", "x", release=a) is True
    assert c.session.renew(a)["ID"] == a
    assert c.session.destroy(a) is True
    try:
        c.session.renew(a)
        raise AssertionError("renewed what is gone")
    except consul.NotFound:
        pass


def services(c):
    c.agent.service.register("py-web", service_id="py-1", port=80, tags=["t"],
                             check=consul.Check.ttl("10s"))
    c.agent.check.ttl_pass("service:py-1")
    for _ in range(50):
        _, nodes = c.health.service("py-web", passing=True)
        if nodes:
            break
        time.sleep(0.1)
    assert nodes and nodes[0]["Service"]["Port"] == 80, nodes
    assert "py-1" in c.agent.services()
    c.agent.service.deregister("py-1")


def catalog(c):
    c.catalog.register("py-node", "10.0.0.1", service={"service": "py-db", "id": "1"})
    _, nodes = c.catalog.service("py-db")
    assert [n["Node"] for n in nodes] == ["py-node"], nodes
    c.catalog.deregister("py-node")
    assert c.catalog.service("py-db")[1] == []


def transactions(c):
    import base64

    value = base64.b64encode(b"x").decode()
    answer = c.txn.put([{"KV": {"Verb": "set", "Key": "py-txn", "Value": value}}])
    assert answer["Errors"] is None, answer


def others(c):
    assert c.status.leader()
    assert c.agent.self()["Config"]["NodeName"]
    assert c.event.fire("py", "x")["Name"] == "py"
    assert c.event.list(name="py")[1]


show("kv: put, get, cas, keys, delete", key_values)
show("kv: a blocking read wakes", wakes)
show("session: lock, release, renew, destroy", locks)
show("agent: register with a TTL check, pass it, find it passing", services)
show("catalog: register, find, deregister", catalog)
show("txn", transactions)
show("status, agent/self, events", others)
sys.exit(1 if failed else 0)
