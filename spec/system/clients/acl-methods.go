package main

import (
	"os"

	"github.com/hashicorp/consul/api"
)

// Every other call that the library has, but for those of the older API: these it refuses itself.
func moreOfAcl() {
	show("acl: auth methods", methods)
	show("acl: binding rules", bindings)
	show("acl: login and logout", logins)
	show("acl: a browser's login is refused of a method that has none", browsers)
	show("acl: lists by what is in them, replication, no second bootstrap", others)
}

func methods() error {
	config := map[string]any{
		"JWTValidationPubKeys": []string{os.Getenv("JWT_KEY")},
		"ClaimMappings":        map[string]string{"team": "team"},
	}
	made, _, err := acl.AuthMethodCreate(&api.ACLAuthMethod{Name: "jwt", Type: "jwt", Config: config}, nil)
	if err != nil {
		return err
	}
	made.Description = "changed"
	if _, _, err = acl.AuthMethodUpdate(made, nil); err != nil {
		return err
	}
	read, _, err := acl.AuthMethodRead("jwt", nil)
	if err = check(err, read != nil && read.Description == "changed", read); err != nil {
		return err
	}
	list, _, err := acl.AuthMethodList(nil)
	return check(err, len(list) == 1 && list[0].Name == "jwt", list)
}

func bindings() error {
	body := &api.ACLBindingRule{AuthMethod: "jwt", BindType: api.BindingRuleBindTypeService, BindName: "${value.team}"}
	made, _, err := acl.BindingRuleCreate(body, nil)
	if err != nil {
		return err
	}
	made.Selector = "value.team==ops"
	if _, _, err = acl.BindingRuleUpdate(made, nil); err != nil {
		return err
	}
	read, _, err := acl.BindingRuleRead(made.ID, nil)
	if err = check(err, read != nil && read.Selector == made.Selector, read); err != nil {
		return err
	}
	list, _, err := acl.BindingRuleList("jwt", nil)
	return check(err, len(list) == 1, list)
}

func logins() error {
	params := &api.ACLLoginParams{AuthMethod: "jwt", BearerToken: os.Getenv("JWT"), Meta: map[string]string{"by": "go"}}
	token, _, err := acl.Login(params, nil)
	if err = check(err, token != nil && token.ServiceIdentities[0].ServiceName == "ops", token); err != nil {
		return err
	}
	own := &api.WriteOptions{Token: token.SecretID}
	if _, err = acl.Logout(own); err != nil {
		return err
	}
	_, refused := acl.Logout(own)
	if err = check(nil, refused != nil, "out twice"); err != nil {
		return err
	}
	rules, _, err := acl.BindingRuleList("", nil)
	if err != nil {
		return err
	}
	if _, err = acl.BindingRuleDelete(rules[0].ID, nil); err != nil {
		return err
	}
	_, err = acl.AuthMethodDelete("jwt", nil)
	return err
}

func browsers() error {
	_, _, refused := acl.OIDCAuthURL(&api.ACLOIDCAuthURLParams{AuthMethod: "none", RedirectURI: "http://127.0.0.1/"}, nil)
	if err := check(nil, refused != nil, "a URL"); err != nil {
		return err
	}
	_, _, refused = acl.OIDCCallback(&api.ACLOIDCCallbackParams{AuthMethod: "none", State: "s", Code: "c"}, nil)
	return check(nil, refused != nil, "a token")
}

func others() error {
	policy, _, err := acl.PolicyRead("00000000-0000-0000-0000-000000000001", nil)
	if err != nil {
		return err
	}
	list, _, err := acl.TokenListFiltered(api.ACLTokenFilterOptions{Policy: policy.ID}, nil)
	if err = check(err, len(list) == 1, list); err != nil {
		return err
	}
	role, _, err := acl.RoleCreate(&api.ACLRole{Name: "gone"}, nil)
	if err != nil {
		return err
	}
	if _, _, err = acl.RoleRead(role.ID, nil); err != nil {
		return err
	}
	own, _, err := acl.PolicyReadByName("p", nil)
	if err != nil {
		return err
	}
	if _, err = acl.PolicyDelete(own.ID, nil); err != nil {
		return err
	}
	if _, _, err = acl.Replication(nil); err != nil {
		return err
	}
	_, _, refused := acl.BootstrapWithToken("99999999-9999-4999-8999-999999999999")
	if err = check(nil, refused != nil, "bootstrapped twice"); err != nil {
		return err
	}
	return nil
}
