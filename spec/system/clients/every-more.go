// The rest of every.go: access control, what is an operator's, the mesh, and what only Enterprise has.
package main

import (
	"os"
	"reflect"
	"strings"
	"time"

	"github.com/hashicorp/consul/api"
)

func access() []call {
	jwt := map[string]any{
		"JWTValidationPubKeys": []string{os.Getenv("JWT_KEY")}, "JWTSupportedAlgs": []string{"ES256"},
		"ClaimMappings": map[string]string{"team": "team"},
	}
	method := &api.ACLAuthMethod{Name: "every", Type: "jwt", Config: jwt}
	rule := &api.ACLBindingRule{AuthMethod: "every", BindType: api.BindingRuleBindTypeService, BindName: "web"}
	policy := &api.ACLPolicy{Name: "every", Rules: `key_prefix "" { policy = "read" }`}
	role := &api.ACLRole{Name: "every", Policies: []*api.ACLLink{{Name: "every"}}}
	token := &api.ACLToken{Description: "every", Policies: []*api.ACLLink{{Name: "every"}}}
	template := &api.ACLTemplatedPolicy{TemplateName: api.ACLTemplatedPolicyDNSName}
	login := &api.ACLLoginParams{AuthMethod: "every", BearerToken: os.Getenv("JWT")}
	logout := func() args { return args{&api.WriteOptions{Token: made["login"]}} }
	keepLogin := func(results []reflect.Value) { made["login"] = results[0].Interface().(*api.ACLToken).SecretID }
	legacy := &api.ACLEntry{Name: "every", Type: "client", Rules: `key "" { policy = "read" }`}
	return []call{
		{"ACL.Bootstrap", nothing, nil},
		{"ACL.Replication", nothing, nil},
		{"ACL.PolicyCreate", with(policy), id("policy")},
		{"ACL.PolicyRead", known("policy"), nil},
		{"ACL.PolicyReadByName", with("every"), nil},
		{"ACL.PolicyUpdate", func() args { return args{&api.ACLPolicy{ID: made["policy"], Name: "every", Rules: policy.Rules}} }, nil},
		{"ACL.PolicyList", nothing, nil},
		{"ACL.RoleCreate", with(role), id("role")},
		{"ACL.RoleRead", known("role"), nil},
		{"ACL.RoleReadByName", with("every"), nil},
		{"ACL.RoleUpdate", func() args { return args{&api.ACLRole{ID: made["role"], Name: "every", Policies: role.Policies}} }, nil},
		{"ACL.RoleList", nothing, nil},
		{"ACL.TokenCreate", with(token), id("token")},
		{"ACL.TokenRead", known("token"), nil},
		{"ACL.TokenReadExpanded", known("token"), nil},
		{"ACL.TokenReadSelf", nothing, nil},
		{"ACL.TokenUpdate", func() args { return args{&api.ACLToken{AccessorID: made["token"], Policies: token.Policies}} }, nil},
		{"ACL.TokenClone", func() args { return args{made["token"], "copy"} }, nil},
		{"ACL.TokenList", nothing, nil},
		{"ACL.TokenListFiltered", with(api.ACLTokenFilterOptions{ServiceName: "web"}), nil},
		{"ACL.TemplatedPolicyList", nothing, nil},
		{"ACL.TemplatedPolicyReadByName", with(api.ACLTemplatedPolicyDNSName), nil},
		{"ACL.TemplatedPolicyPreview", with(template), nil},
		{"ACL.RulesTranslate", with(strings.NewReader(legacy.Rules)), nil},
		{"ACL.Create", with(legacy), id("legacy")},
		{"ACL.RulesTranslateToken", func() args { return args{accessorOf(made["legacy"])} }, nil},
		{"ACL.Update", func() args { return args{&api.ACLEntry{ID: made["legacy"], Type: "client", Rules: legacy.Rules}} }, nil},
		{"ACL.Info", known("legacy"), nil},
		{"ACL.Clone", known("legacy"), nil},
		{"ACL.List", nothing, nil},
		{"ACL.Destroy", known("legacy"), nil},
		{"ACL.AuthMethodCreate", with(method), nil},
		{"ACL.AuthMethodRead", with("every"), nil},
		{"ACL.AuthMethodUpdate", with(method), nil},
		{"ACL.AuthMethodList", nothing, nil},
		{"ACL.BindingRuleCreate", with(rule), id("rule")},
		{"ACL.BindingRuleRead", known("rule"), nil},
		{"ACL.BindingRuleUpdate", func() args {
			return args{&api.ACLBindingRule{ID: made["rule"], AuthMethod: "every", BindType: rule.BindType, BindName: "db"}}
		}, nil},
		{"ACL.BindingRuleList", with("every"), nil},
		{"ACL.Login", with(login), keepLogin},
		{"ACL.Logout", logout, nil},
		{"ACL.OIDCAuthURL", with(&api.ACLOIDCAuthURLParams{AuthMethod: "every", RedirectURI: "http://localhost/"}), nil},
		{"ACL.OIDCCallback", with(&api.ACLOIDCCallbackParams{AuthMethod: "every", State: "st", Code: "c", ClientNonce: "n"}), nil},
		{"ACL.BindingRuleDelete", known("rule"), nil},
		{"ACL.AuthMethodDelete", with("every"), nil},
		{"ACL.TokenDelete", known("token"), nil},
		{"ACL.RoleDelete", known("role"), nil},
		{"ACL.PolicyDelete", known("policy"), nil},
	}
}

func accessorOf(secret string) string {
	token, _, err := client.ACL().TokenReadSelf(&api.QueryOptions{Token: secret})
	if err != nil {
		return err.Error()
	}
	return token.AccessorID
}

func operators() []call {
	key := "cg8StVXbQJ0gPvMd9o7yrg=="
	settings := func() args {
		config, err := client.Operator().AutopilotGetConfiguration(nil)
		if err != nil {
			return args{nil}
		}
		return args{config}
	}
	return []call{
		{"Operator.RaftGetConfiguration", nothing, nil},
		{"Operator.RaftLeaderTransfer", with(""), nil},
		{"Operator.RaftRemovePeerByAddress", with("10.0.0.99:8300"), nil},
		{"Operator.RaftRemovePeerByID", with("33333333-3333-4333-8333-333333333333"), nil},
		{"Operator.AutopilotGetConfiguration", nothing, nil},
		{"Operator.AutopilotSetConfiguration", settings, nil},
		{"Operator.AutopilotCASConfiguration", settings, nil},
		// Nothing is said of a cluster in its first seconds.
		{"Operator.AutopilotServerHealth", func() args { time.Sleep(5 * time.Second); return nil }, nil},
		{"Operator.AutopilotState", nothing, nil},
		{"Operator.Usage", nothing, nil},
		{"Operator.KeyringInstall", with(key), nil},
		{"Operator.KeyringUse", with(key), nil},
		{"Operator.KeyringList", nothing, nil},
		{"Operator.KeyringRemove", func() args { return args{otherKey(key)} }, nil},
		{"Debug.Heap", nothing, nil},
		{"Debug.Profile", with(1), nil},
		{"Debug.Trace", with(1), nil},
		{"Debug.Goroutine", nothing, nil},
		{"Debug.PProf", func() args { return args{background, "profile", 1} }, read},
	}
}

// The one that the server began with.
func otherKey(key string) string {
	rings, err := client.Operator().KeyringList(nil)
	if err == nil {
		for other := range rings[0].Keys {
			if other != key {
				return other
			}
		}
	}
	return ""
}

func meshes() []call {
	entry := &api.ServiceConfigEntry{Kind: api.ServiceDefaults, Name: "every", Protocol: "http"}
	intention := func() *api.Intention {
		return &api.Intention{SourceName: "a", DestinationName: "b", Action: api.IntentionActionAllow}
	}
	exact := &api.Intention{SourceName: "c", DestinationName: "d", Action: api.IntentionActionAllow}
	match := &api.IntentionMatch{By: api.IntentionMatchDestination, Names: []string{"b"}}
	updated := func() args {
		again := intention()
		again.ID = made["intention"]
		return args{again}
	}
	return []call{
		{"ConfigEntries.Set", with(entry), nil},
		{"ConfigEntries.Get", with(api.ServiceDefaults, "every"), nil},
		{"ConfigEntries.List", with(api.ServiceDefaults), nil},
		{"ConfigEntries.CAS", with(entry, 0), nil},
		{"ConfigEntries.DeleteCAS", with(api.ServiceDefaults, "every", 1), nil},
		{"ConfigEntries.Delete", with(api.ServiceDefaults, "every"), nil},
		{"DiscoveryChain.Get", with("every"), nil},
		{"Connect.CARoots", nothing, nil},
		{"Connect.CAGetConfig", nothing, nil},
		{"Connect.CASetConfig", with(&api.CAConfig{Provider: "consul", Config: map[string]any{}}), nil},
		{"Connect.IntentionCreate", func() args { return args{intention()} }, id("intention")},
		{"Connect.IntentionGet", known("intention"), nil},
		{"Connect.IntentionUpdate", updated, nil},
		{"Connect.IntentionUpsert", with(exact), nil},
		{"Connect.IntentionGetExact", with("c", "d"), nil},
		{"Connect.Intentions", nothing, nil},
		{"Connect.IntentionMatch", with(match), nil},
		{"Connect.IntentionCheck", with(&api.IntentionCheck{Source: "a", Destination: "b"}), nil},
		{"Connect.IntentionDeleteExact", with("c", "d"), nil},
		{"Connect.IntentionDelete", known("intention"), nil},
		{"Agent.ConnectAuthorize", with(&api.AgentAuthorizeParams{Target: "web", ClientCertURI: "spiffe://x"}), nil},
		{"Agent.ConnectCALeaf", with("web"), nil},
		{"Agent.ConnectCARoots", nothing, nil},
		{"Internal.AssignServiceVirtualIP", func() args { return args{background, "web", []string{"240.0.0.9"}} }, nil},
		{"Client.ExportedServices", nothing, nil},
		{"Client.ImportedServices", nothing, nil},
		{"Peerings.GenerateToken", func() args { return args{background, api.PeeringGenerateTokenRequest{PeerName: "p"}} }, nil},
		{"Peerings.Establish", func() args {
			return args{background, api.PeeringEstablishRequest{PeerName: "p", PeeringToken: "t"}}
		}, nil},
		{"Peerings.Read", func() args { return args{background, "p"} }, nil},
		{"Peerings.List", func() args { return args{background} }, nil},
		{"Peerings.Delete", func() args { return args{background, "p"} }, nil},
	}
}

func enterprise() []call {
	space := &api.Namespace{Name: "every"}
	partition := func() args { return args{background, &api.Partition{Name: "every"}} }
	part := func() args { return args{background, "every"} }
	return []call{
		{"Namespaces.Create", with(space), nil}, {"Namespaces.Update", with(space), nil},
		{"Namespaces.Read", with("every"), nil}, {"Namespaces.List", nothing, nil},
		{"Namespaces.Delete", with("every"), nil},
		{"Partitions.Create", partition, nil}, {"Partitions.Update", partition, nil},
		{"Partitions.Read", part, nil}, {"Partitions.List", func() args { return args{background} }, nil}, {"Partitions.Delete", part, nil},
		{"Operator.AreaCreate", with(&api.Area{PeerDatacenter: "dc2"}), nil},
		{"Operator.AreaUpdate", with("a", &api.Area{}), nil},
		{"Operator.AreaGet", with("a"), nil}, {"Operator.AreaList", nothing, nil},
		{"Operator.AreaDelete", with("a"), nil}, {"Operator.AreaJoin", with("a", []string{"x"}), nil},
		{"Operator.AreaMembers", with("a"), nil}, {"Operator.SegmentList", nothing, nil},
		{"Operator.LicenseGet", nothing, nil}, {"Operator.LicenseGetSigned", nothing, nil},
		{"Operator.LicensePut", with("x"), nil}, {"Operator.LicenseReset", nothing, nil},
		{"Operator.AuditHash", with(&api.AuditHashRequest{Input: "x"}), nil},
		{"Operator.FeatureGateList", nothing, nil}, {"Operator.FeatureGateGet", with("x"), nil},
		{"Operator.FeatureGateSet", with("x", true, 0), nil},
		{"Census.Utilization", with(&api.UtilizationBundleRequest{}), nil},
	}
}
