"""Calls every method that py-consul has, once, and says of each what came: a line of JSON."""

import inspect
import json
import os
import time

import consul

port = int(os.environ["CONSUL_HTTP_ADDR"].rsplit(":", 1)[1])
boss = os.environ["BOSS"]
made = {}
called = set()


def client(token=boss):
    return consul.Consul(host="127.0.0.1", port=port, token=token)


def say(method, fault):
    print(json.dumps({"method": method, "fault": fault}), flush=True)


def run(method, *args, keep=None, of=None, **options):
    """`keep` is the name under which what came is kept, or the key of it."""
    called.add(method)
    try:
        target = of or client()
        for name in method.split("."):
            target = getattr(target, name)
        values = [arg() if callable(arg) else arg for arg in args]
        result = target(*values, **{name: v() if callable(v) else v for name, v in options.items()})
        if keep is not None:
            made[method] = result[keep] if isinstance(result, dict) and keep else result
        say(method, "")
    except Exception as error:  # Whatever it is, the others are to be called too.
        say(method, f"{type(error).__name__}: {error}")


def kept(method):
    return lambda: made.get(method, "none")


def access():
    rules = {"key_prefix": {"": {"policy": "read"}}}
    run("acl.bootstrap", boss, keep="SecretID", of=client(""))
    # By its older names too.
    run("acl.policy.create", "old", rules=rules, keep="ID")
    old = kept("acl.policy.create")
    run("acl.policy.read", old)
    run("acl.policy.update", old, "old", rules=rules)
    run("acl.policy.list")
    run("acl.policy.delete", old)
    run("acl.templated_policy.list")
    run("acl.templated_policy.read", "builtin/dns")
    run("acl.templated_policy.preview", "builtin/dns")
    run("acl.policies.create", "p", rules=rules, keep="ID")
    policy = kept("acl.policies.create")
    run("acl.policies.read", policy)
    run("acl.policies.update", policy, "p", rules=rules)
    run("acl.policies.list")
    run("acl.role.create", "r", policies_name=["p"], keep="ID")
    role = kept("acl.role.create")
    run("acl.role.read", role)
    run("acl.role.read_by_name", "r")
    run("acl.role.update", role, "r", policies_name=["p"])
    run("acl.role.list")
    run("acl.token.create", policies_name=["p"], keep="AccessorID")
    token = kept("acl.token.create")
    run("acl.token.read", token)
    run("acl.token.read_self")
    run("acl.token.update", token, description="changed")
    run("acl.token.clone", token, description="copy")
    run("acl.token.list")
    run("acl.templated_policies.list")
    run("acl.templated_policies.read", "builtin/dns")
    run("acl.templated_policies.preview", "builtin/dns")
    config = {
        "JWTValidationPubKeys": [os.environ["JWT_KEY"]],
        "JWTSupportedAlgs": ["ES256"],
        "ClaimMappings": {"team": "team"},
    }
    run("acl.auth_method.create", "m", "jwt", config=config)
    run("acl.auth_method.read", "m")
    run("acl.auth_method.update", "m", "jwt", config=config)
    run("acl.auth_method.list")
    run("acl.binding_rule.create", "m", "service", "web", keep="ID")
    rule = kept("acl.binding_rule.create")
    run("acl.binding_rule.read", rule)
    run("acl.binding_rule.update", rule, "m", "service", "db")
    run("acl.binding_rule.list")
    run("acl.login", "m", os.environ["JWT"], keep="SecretID", of=client(""))
    run("acl.logout", kept("acl.login"))
    run("acl.binding_rule.delete", rule)
    run("acl.auth_method.delete", "m")
    run("acl.token.delete", token)
    run("acl.role.delete", role)
    run("acl.policies.delete", policy)


def agents():
    run("agent.self")
    run("agent.members")
    run("agent.metrics")
    run("agent.reload")
    run("agent.service.register", "py", service_id="py-1", port=80, check=consul.Check.ttl("60s"))
    run("agent.service_definition", "py-1")
    run("agent.services")
    run("agent.checks")
    run("agent.check.register", "c", check=consul.Check.ttl("60s"), check_id="c")
    run("agent.check.ttl_pass", "c")
    run("agent.check.ttl_warn", "c")
    run("agent.check.ttl_fail", "c")
    run("agent.check.deregister", "c")
    run("agent.service.maintenance", "py-1", True, reason="r")
    run("agent.maintenance", True, reason="r")
    client().agent.maintenance(False)
    run("agent.service.deregister", "py-1")
    run("agent.join", lambda: f"127.0.0.1:{client().agent.self()['DebugConfig']['SerfPortLAN']}")
    run("agent.force_leave", "nobody")
    run("agent.connect.ca.roots")
    run("agent.connect.ca.leaf", "web")
    run("agent.connect.authorize", "web", "spiffe://x", "1")
    for name in ("agent", "default", "replication", "config_file_service_registration"):
        run(f"agent.token.set_{name}", boss)
    run("agent.token.set", "default", boss)
    run("agent.token.set_agent_recovery", "44444444-4444-4444-8444-444444444444")


def catalog():
    service = {"Service": "py-far", "ID": "py-far", "Port": 80, "Tags": ["a"]}
    run("catalog.register", "py-node", "10.1.2.3", service=service)
    run("catalog.datacenters")
    run("catalog.nodes")
    run("catalog.services")
    run("catalog.node", "py-node")
    run("catalog.service", "py-far")
    run("catalog.connect", "py-far")
    run("catalog.gateway_services", "g")
    run("health.service", "py-far", passing=True)
    run("health.connect", "py-far")
    run("health.ingress", "py-far")
    run("health.checks", "py-far")
    run("health.node", "py-node")
    run("health.state", "any")
    run("catalog.deregister", "py-node")
    run("coordinate.datacenters")
    run("coordinate.nodes")
    place = {"Vec": [0.0] * 8, "Error": 1.5, "Adjustment": 0.0, "Height": 1e-5}
    run("coordinate.update", "n1", place)
    # An agent's update is written a moment later, in a batch.
    time.sleep(6)
    run("coordinate.node", "n1")


def keys():
    run("kv.put", "py/a", "x")
    run("kv.get", "py/a")
    run("kv.delete", "py/a")
    run("txn.put", [{"KV": {"Verb": "set", "Key": "py/t", "Value": "eA=="}}])
    run("session.create", name="py", keep="")
    session = kept("session.create")
    run("session.info", session)
    run("session.renew", session)
    run("session.list")
    run("session.node", "n1")
    run("session.destroy", session)
    run("event.fire", "py", "x")
    run("event.list")
    run("query.create", "consul", name="py", keep="ID")
    query = kept("query.create")
    run("query.get", query)
    run("query.list")
    run("query.update", query, service="consul", name="py")
    run("query.execute", "py")
    run("query.explain", "py")
    run("query.delete", query)
    run("status.leader")
    run("status.peers")


def operators():
    run("operator.raft_config")
    run("operator.raft_remove_peer", address="10.0.0.99:8300")
    run("operator.raft_transfer_leader")
    run("operator.autopilot_configuration")
    run("operator.update_autopilot_configuration", cleanup_dead_servers=True)
    time.sleep(5)
    run("operator.autopilot_health")
    run("operator.usage")
    key = "cg8StVXbQJ0gPvMd9o7yrg=="
    run("operator.keyring_install", key)
    run("operator.keyring_use", key)
    run("operator.keyring_list", keep="")
    rings = made.get("operator.keyring_list") or [{"Keys": {}}]
    run("operator.keyring_remove", next((k for k in rings[0]["Keys"] if k != key), ""))
    run("snapshot.save", keep="")
    run("snapshot.restore", kept("snapshot.save"))


def meshes():
    run("config.set", "service-defaults", "py", config_entry={"Protocol": "http"})
    run("config.get", "service-defaults", "py")
    run("config.list", "service-defaults")
    run("config.delete", "service-defaults", "py")
    run("connect.ca.roots")
    run("connect.ca.configuration")
    run("connect.ca.update_configuration", "consul", {})
    run("connect.intentions.upsert", "a", "b", action="allow")
    run("connect.intentions.read", "a", "b")
    run("connect.intentions.list")
    run("connect.intentions.match", "source", "a")
    run("connect.intentions.check", "a", "b")
    run("connect.intentions.delete", "a", "b")
    run("discovery_chain.get", "py")


def methods(room, path="", seen=None):
    seen = set() if seen is None else seen
    if id(room) in seen:
        return
    seen.add(id(room))
    for name, part in vars(room).items():
        # Parts know the one that they are a part of.
        if type(part).__module__.startswith("consul") and name not in ("http", "agent" if path else ""):
            yield from methods(part, f"{path}{name}.", seen)
    if path:
        for name, _ in inspect.getmembers(room, inspect.ismethod):
            if not name.startswith("_"):
                yield path + name


access()
agents()
catalog()
keys()
operators()
meshes()
# The last: the agent goes.
run("agent.leave")
# It reads to the end of an answer that has none.
called.add("agent.monitor")
for method in sorted(set(methods(client())) - called):
    say(method, "nobody has called it")
