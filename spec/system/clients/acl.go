// What a program in Go asks of access control: github.com/hashicorp/consul/api, unchanged.
package main

import (
	"fmt"
	"os"
	"time"

	"github.com/hashicorp/consul/api"
)

var client *api.Client
var acl *api.ACL
var failed = false

func show(name string, test func() error) {
	if err := test(); err != nil {
		failed = true
		fmt.Printf("FAIL %s: %v\n", name, err)
		return
	}
	fmt.Printf("ok %s\n", name)
}

func check(err error, ok bool, what any) error {
	if err != nil || ok {
		return err
	}
	return fmt.Errorf("got %+v", what)
}

func main() {
	show("acl: bootstrap, once", bootstrap)
	show("acl: policies", policies)
	show("acl: roles, identities and templates", roles)
	show("acl: tokens, read, changed, copied, listed and removed", tokens)
	show("acl: templates of policies", templates)
	show("acl: what a token may do, and no more once its role is gone", rights)
	moreOfAcl()
	if failed {
		os.Exit(1)
	}
}

func bootstrap() error {
	config := api.DefaultConfig()
	var err error
	if client, err = api.NewClient(config); err != nil {
		return err
	}
	first, _, err := client.ACL().Bootstrap()
	if err != nil {
		return err
	}
	config.Token = first.SecretID
	if client, err = api.NewClient(config); err != nil {
		return err
	}
	acl = client.ACL()
	again, _, refused := acl.Bootstrap()
	return check(nil, refused != nil, again)
}

func policies() error {
	rules := `key_prefix "" { policy = "read" }`
	made, _, err := acl.PolicyCreate(&api.ACLPolicy{Name: "p", Rules: rules}, nil)
	if err != nil {
		return err
	}
	made.Description = "changed"
	changed, _, err := acl.PolicyUpdate(made, nil)
	if err = check(err, changed != nil && changed.ModifyIndex > changed.CreateIndex, changed); err != nil {
		return err
	}
	read, _, err := acl.PolicyReadByName("p", nil)
	if err = check(err, read != nil && read.Rules == rules && read.ID == made.ID, read); err != nil {
		return err
	}
	list, meta, err := acl.PolicyList(nil)
	return check(err, len(list) == 2 && meta.LastIndex > 0, list)
}

func roles() error {
	role := &api.ACLRole{
		Name:              "r",
		Policies:          []*api.ACLLink{{Name: "p"}},
		ServiceIdentities: []*api.ACLServiceIdentity{{ServiceName: "web"}},
		NodeIdentities:    []*api.ACLNodeIdentity{{NodeName: "n", Datacenter: "dc1"}},
		TemplatedPolicies: []*api.ACLTemplatedPolicy{{TemplateName: api.ACLTemplatedPolicyDNSName}},
	}
	made, _, err := acl.RoleCreate(role, nil)
	if err != nil {
		return err
	}
	made.Description = "changed"
	changed, _, err := acl.RoleUpdate(made, nil)
	if err = check(err, changed != nil && len(changed.TemplatedPolicies) == 1, changed); err != nil {
		return err
	}
	none, _, err := acl.RoleReadByName("none", nil)
	if err = check(err, none == nil, none); err != nil {
		return err
	}
	list, _, err := acl.RoleList(nil)
	return check(err, len(list) == 1 && list[0].Policies[0].Name == "p", list)
}

func tokens() error {
	body := &api.ACLToken{Roles: []*api.ACLLink{{Name: "r"}}, ExpirationTTL: time.Hour}
	made, _, err := acl.TokenCreate(body, nil)
	if err = check(err, made != nil && made.ExpirationTime != nil, made); err != nil {
		return err
	}
	made.Description = "changed"
	if made, _, err = acl.TokenUpdate(made, nil); err != nil {
		return err
	}
	copied, _, err := acl.TokenClone(made.AccessorID, "copy", nil)
	if err = check(err, copied != nil && copied.ExpirationTime.Equal(*made.ExpirationTime), copied); err != nil {
		return err
	}
	expanded, _, err := acl.TokenReadExpanded(made.AccessorID, nil)
	if err = check(err, expanded != nil && len(expanded.ExpandedPolicies) == 1, expanded); err != nil {
		return err
	}
	self, _, err := acl.TokenReadSelf(&api.QueryOptions{Token: made.SecretID})
	if err = check(err, self != nil && self.AccessorID == made.AccessorID, self); err != nil {
		return err
	}
	if _, err = acl.TokenDelete(copied.AccessorID, nil); err != nil {
		return err
	}
	list, _, err := acl.TokenList(nil)
	return check(err, len(list) == 3, list)
}

func templates() error {
	all, _, err := acl.TemplatedPolicyList(nil)
	if err = check(err, len(all) == 6, all); err != nil {
		return err
	}
	one, _, err := acl.TemplatedPolicyReadByName(api.ACLTemplatedPolicyServiceName, nil)
	if err = check(err, one != nil && one.Template != "" && one.Schema != "", one); err != nil {
		return err
	}
	tried, _, err := acl.TemplatedPolicyPreview(&api.ACLTemplatedPolicy{
		TemplateName:      api.ACLTemplatedPolicyNodeName,
		TemplateVariables: &api.ACLTemplatedPolicyVariables{Name: "n"},
	}, nil)
	return check(err, tried != nil && tried.Rules != "", tried)
}

func rights() error {
	list, _, err := acl.TokenList(nil)
	if err != nil {
		return err
	}
	for _, each := range list {
		if len(each.Roles) == 0 {
			continue
		}
		token, _, err := acl.TokenRead(each.AccessorID, nil)
		if err != nil {
			return err
		}
		asked := &api.QueryOptions{Token: token.SecretID}
		if _, _, err = client.KV().Get("k", asked); err != nil {
			return err
		}
		_, refused := client.KV().Put(&api.KVPair{Key: "k"}, &api.WriteOptions{Token: token.SecretID})
		if err = check(nil, refused != nil, "a write"); err != nil {
			return err
		}
		if _, err = acl.RoleDelete(each.Roles[0].ID, nil); err != nil {
			return err
		}
		_, _, refused = client.KV().Get("k", asked)
		return check(nil, refused != nil, "a read")
	}
	return fmt.Errorf("no token has a role")
}
