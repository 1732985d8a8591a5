"""What a program in Python asks of access control: every call that py-consul has for it, unchanged."""

import os
import sys

import consul

port = int(os.environ["CONSUL_HTTP_ADDR"].rsplit(":", 1)[1])
failed = False
boss = ""


def show(name, test):
    global failed
    try:
        test(consul.Consul(host="127.0.0.1", port=port, token=boss).acl)
        print(f"ok {name}")
    except Exception as error:  # Whatever it is, the others are to run too.
        failed = True
        print(f"FAIL {name}: {type(error).__name__}: {error}")


def refused(call):
    try:
        call()
    except consul.ConsulException:
        return
    raise AssertionError("it was not refused")


def bootstrap(acl):
    global boss
    boss = acl.bootstrap()["SecretID"]
    refused(acl.bootstrap)


def policies(acl):
    made = acl.policy.create("p", rules={"key_prefix": {"": {"policy": "read"}}}, description="d")
    changed = acl.policy.update(made["ID"], "p", rules={"key": {"k": {"policy": "write"}}})
    assert changed["Rules"] != made["Rules"], changed
    assert acl.policy.read(made["ID"])["Name"] == "p"
    assert "p" in [each["Name"] for each in acl.policy.list()]
    gone = acl.policy.create("gone")
    assert acl.policy.delete(gone["ID"]) is True


def roles(acl):
    made = acl.role.create("r", policies_name=["p"], node_identities=[{"NodeName": "n1", "Datacenter": "dc1"}])
    assert made["NodeIdentities"], made
    changed = acl.role.update(made["ID"], "r", description="changed", policies_name=["p"])
    assert changed["Description"] == "changed"
    assert acl.role.read(made["ID"])["Name"] == "r"
    assert acl.role.read_by_name("r")["ID"] == made["ID"]
    assert len(acl.role.list(policy=made["Policies"][0]["ID"])) == 1
    gone = acl.role.create("gone")
    assert acl.role.delete(gone["ID"]) is True


def tokens(acl):
    made = acl.token.create(
        description="t",
        policies_name=["p"],
        roles_name=["r"],
        node_identities=["n1:dc1"],
        templated_policies=[{"builtin/service": {"Name": "web"}}],
        expiration_ttl="1h",
    )
    assert made["TemplatedPolicies"], made
    changed = acl.token.update(made["AccessorID"], description="changed", policies_name=["p"])
    assert changed["Description"] == "changed"
    assert acl.token.read(made["AccessorID"])["SecretID"] == made["SecretID"]
    assert acl.token.read_self(token=made["SecretID"])["AccessorID"] == made["AccessorID"]
    copied = acl.token.clone(made["AccessorID"], description="copy")
    policy = made["Policies"][0]["ID"]
    assert len(acl.token.list(policy=policy)) == 2, acl.token.list(policy=policy)
    assert acl.token.delete(copied["AccessorID"]) is True


def templates(acl):
    assert "builtin/service" in acl.templated_policy.list()
    assert acl.templated_policy.read("builtin/service")["Template"]
    assert "web" in acl.templated_policy.preview("builtin/service", {"Name": "web"})["Rules"]


def logins(acl):
    config = {"JWTValidationPubKeys": [os.environ["JWT_KEY"]], "ClaimMappings": {"team": "team"}}
    acl.auth_method.create("jwt", "jwt", config=config, max_token_ttl="10m", token_locality="local")
    changed = acl.auth_method.update("jwt", "jwt", config=config, description="changed")
    assert changed["Description"] == "changed"
    assert acl.auth_method.read("jwt")["Config"]["ClaimMappings"] == {"team": "team"}
    assert [each["Name"] for each in acl.auth_method.list()] == ["jwt"]
    rule = acl.binding_rule.create("jwt", "service", "${value.team}", description="d")
    rule = acl.binding_rule.update(rule["ID"], "jwt", "service", "${value.team}", selector="value.team==ops")
    assert acl.binding_rule.read(rule["ID"])["Selector"] == "value.team==ops"
    assert len(acl.binding_rule.list(auth_method="jwt")) == 1
    token = acl.login("jwt", os.environ["JWT"], meta={"by": "python"})
    assert token["ServiceIdentities"][0]["ServiceName"] == "ops", token
    assert acl.logout(token["SecretID"]) is True
    refused(lambda: acl.logout(token["SecretID"]))
    assert acl.binding_rule.delete(rule["ID"]) is True
    assert acl.auth_method.delete("jwt") is True


def rights(acl):
    made = acl.token.create(policies_name=["p"])
    own = consul.Consul(host="127.0.0.1", port=port, token=made["SecretID"])
    assert own.kv.put("k", "v") is True
    refused(lambda: own.kv.put("other", "v"))
    acl.token.delete(made["AccessorID"])
    refused(lambda: own.kv.get("k"))


show("acl: bootstrap, once", bootstrap)
show("acl: policies", policies)
show("acl: roles", roles)
show("acl: tokens", tokens)
show("acl: templates of policies", templates)
show("acl: auth methods, binding rules, login and logout", logins)
show("acl: what a token may do", rights)
sys.exit(1 if failed else 0)
