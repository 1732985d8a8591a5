// Calls every method that github.com/hashicorp/consul/api has, once, against one server, and says of each what
// came: a line of JSON, without a word where nothing failed.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"reflect"
	"sort"
	"strings"
	"time"

	"github.com/hashicorp/consul/api"
	"github.com/hashicorp/serf/coordinate"
)

var client *api.Client

// What a call was, and what it came to.
type line struct {
	Method string `json:"method"`
	Fault  string `json:"fault"`
}

func say(method string, fault string) {
	text, _ := json.Marshal(line{method, fault})
	fmt.Println(string(text))
}

// Made on the way, for the calls that follow.
var made = map[string]string{}
var restored []byte
var held *api.Lock
var counted *api.Semaphore

type args = []any

// The leading arguments of each; what follows (options, as a rule) is left out.
type call struct {
	method string
	args   func() args
	// Keeps what a later call needs.
	keep func(results []reflect.Value)
}

func with(values ...any) func() args { return func() args { return values } }
func nothing() args                  { return nil }

func id(name string) func([]reflect.Value) {
	return func(results []reflect.Value) {
		if first := results[0]; first.Kind() == reflect.String {
			made[name] = first.String()
		} else if first.Kind() == reflect.Pointer && !first.IsNil() {
			for _, field := range []string{"AccessorID", "ID"} {
				if value := first.Elem().FieldByName(field); value.IsValid() {
					made[name] = value.String()
					return
				}
			}
		}
	}
}

func known(name string) func() args { return func() args { return args{made[name]} } }

// Drains what is to be read, and cancels what goes on.
func read(results []reflect.Value) {
	if body, ok := results[0].Interface().(io.ReadCloser); ok && body != nil {
		text, _ := io.ReadAll(body)
		restored = text
		body.Close()
	}
}

func main() {
	called := map[string]bool{}
	do := func(list []call) {
		for _, each := range list {
			called[each.method] = true
			run(each)
		}
	}
	client, _ = api.NewClient(api.DefaultConfig())
	// The first token is the one that the others are called with.
	do([]call{{"ACL.BootstrapWithToken", with(os.Getenv("BOSS")), nil}})
	config := api.DefaultConfig()
	config.Token = os.Getenv("BOSS")
	client, _ = api.NewClient(config)
	do(calls())
	for _, method := range methods() {
		if !called[method] {
			say(method, "nobody has called it")
		}
	}
}

// Those of the client and of all that it hands out.
func methods() []string {
	rooms := []any{client, held, counted}
	names := []string{}
	of := reflect.TypeOf(client)
	for i := 0; i < of.NumMethod(); i++ {
		if method := of.Method(i); method.Type.NumIn() == 1 && method.Type.NumOut() == 1 {
			if kind := method.Type.Out(0); kind.Kind() == reflect.Pointer {
				rooms = append(rooms, method.Func.Call([]reflect.Value{reflect.ValueOf(client)})[0].Interface())
			}
		}
	}
	for _, room := range rooms {
		kind := reflect.TypeOf(room)
		for i := 0; i < kind.NumMethod(); i++ {
			method := kind.Method(i)
			// What hands out a room, or sets up the client itself, asks no server.
			if kind == of && method.Type.NumIn() <= 2 && method.Type.NumOut() <= 1 || method.Name == "IDToIndex" {
				continue
			}
			if kind == of && (method.Name == "AddHeader" || strings.HasPrefix(method.Name, "Lock") || strings.HasPrefix(method.Name, "Semaphore")) {
				continue
			}
			names = append(names, kind.Elem().Name()+"."+method.Name)
		}
	}
	sort.Strings(names)
	return names
}

func room(name string) reflect.Value {
	switch name {
	case "Client":
		return reflect.ValueOf(client)
	case "Lock":
		return reflect.ValueOf(held)
	case "Semaphore":
		return reflect.ValueOf(counted)
	}
	return reflect.ValueOf(client).MethodByName(name).Call(nil)[0]
}

func run(each call) {
	names := strings.SplitN(each.method, ".", 2)
	method := room(names[0]).MethodByName(names[1])
	if !method.IsValid() {
		say(each.method, "the library has no such method")
		return
	}
	given := each.args()
	in := []reflect.Value{}
	for i := 0; i < method.Type().NumIn(); i++ {
		wanted := method.Type().In(i)
		if i < len(given) && given[i] != nil {
			in = append(in, reflect.ValueOf(given[i]).Convert(wanted))
		} else {
			in = append(in, reflect.Zero(wanted))
		}
	}
	out := method.Call(in)
	fault := ""
	if last := out[len(out)-1]; last.Type().Implements(reflect.TypeFor[error]()) && !last.IsNil() {
		fault = last.Interface().(error).Error()
	}
	if fault == "" && each.keep != nil {
		each.keep(out)
	}
	say(each.method, fault)
}

var pair = &api.KVPair{Key: "every/key", Value: []byte("x"), Flags: 1 << 63}
var background = context.Background()

func inAWhile() context.Context {
	soon, cancel := context.WithCancel(background)
	time.AfterFunc(500*time.Millisecond, cancel)
	return soon
}

func stopSoon() chan struct{} {
	stop := make(chan struct{})
	time.AfterFunc(500*time.Millisecond, func() { close(stop) })
	return stop
}

func session() *api.SessionEntry { return &api.SessionEntry{Name: "every", TTL: "30s"} }

func calls() []call {
	list := []call{}
	for _, part := range [][]call{
		keys(), sessions(), agents(), catalog(), queries(), access(), operators(), meshes(), enterprise(), last(),
	} {
		list = append(list, part...)
	}
	return list
}

func keys() []call {
	locked := func() args { return args{&api.KVPair{Key: "every/locked", Session: made["session"]}} }
	return []call{
		{"KV.Put", with(pair), nil},
		{"KV.Get", with("every/key"), func(results []reflect.Value) {
			pair.ModifyIndex = results[0].Interface().(*api.KVPair).ModifyIndex
		}},
		{"KV.CAS", with(pair), nil},
		{"KV.List", with("every/"), nil},
		{"KV.Keys", with("every/", "/"), nil},
		{"Session.Create", func() args { return args{session()} }, id("session")},
		{"KV.Acquire", locked, nil},
		{"KV.Release", locked, nil},
		{"KV.Txn", with(api.KVTxnOps{{Verb: api.KVGet, Key: "every/key"}}), nil},
		{"Txn.Txn", with(api.TxnOps{{KV: &api.KVTxnOp{Verb: api.KVSet, Key: "every/txn", Value: []byte("x")}}}), nil},
		{"KV.DeleteCAS", with(&api.KVPair{Key: "every/none"}), nil},
		{"KV.Delete", with("every/key"), nil},
		{"KV.DeleteTree", with("every/"), nil},
		{"Raw.Write", with("/v1/kv/every-raw", "x"), nil},
		{"Raw.Query", func() args { return args{"/v1/kv/every-raw", &[]api.KVPair{}} }, nil},
		{"Raw.Delete", with("/v1/kv/every-raw"), nil},
	}
}

func sessions() []call {
	held, _ = client.LockOpts(&api.LockOptions{Key: "every-lock", LockDelay: time.Millisecond})
	counted, _ = client.SemaphorePrefix("every-semaphore", 2)
	return []call{
		{"Session.CreateNoChecks", func() args { return args{session()} }, id("unchecked")},
		{"Session.Renew", known("session"), nil},
		{"Session.RenewPeriodic", func() args { return args{"30s", made["session"], nil, stopSoon()} }, nil},
		{"Session.Info", known("session"), nil},
		{"Session.List", nothing, nil},
		{"Session.Node", with("n1"), nil},
		{"Session.Destroy", known("unchecked"), nil},
		{"Lock.Lock", nothing, nil},
		{"Lock.Unlock", nothing, nil},
		{"Lock.Destroy", nothing, nil},
		{"Semaphore.Acquire", nothing, nil},
		{"Semaphore.Release", nothing, nil},
		{"Semaphore.Destroy", nothing, nil},
		{"Event.Fire", with(&api.UserEvent{Name: "every", Payload: []byte("x")}), nil},
		{"Event.List", with("every"), nil},
		{"Status.Leader", nothing, nil},
		{"Status.LeaderWithQueryOptions", nothing, nil},
		{"Status.Peers", nothing, nil},
		{"Status.PeersWithQueryOptions", nothing, nil},
		{"Coordinate.Datacenters", nothing, nil},
		{"Coordinate.Nodes", nothing, nil},
		{"Coordinate.Update", with(&api.CoordinateEntry{Node: "n1", Coord: coordinate.NewCoordinate(coordinate.DefaultConfig())}), nil},
		// An agent's update is written a moment later, in a batch.
		{"Coordinate.Node", func() args { time.Sleep(6 * time.Second); return args{"n1"} }, nil},
	}
}

func ownGossip() string {
	self, err := client.Agent().Self()
	if err != nil {
		return ""
	}
	return fmt.Sprintf("127.0.0.1:%v", self["DebugConfig"]["SerfPortLAN"])
}

func agents() []call {
	service := &api.AgentServiceRegistration{
		ID: "every-1", Name: "every", Port: 80, Locality: &api.Locality{Region: "r", Zone: "z"},
		Check: &api.AgentServiceCheck{CheckID: "every-ttl", TTL: "60s"},
	}
	many := &api.AgentServiceRegistration{
		ID: "every-2", Name: "every", Ports: api.ServicePorts{{Name: "web", Port: 81, Default: true}, {Name: "rpc", Port: 82}},
	}
	check := &api.AgentCheckRegistration{ID: "every-check", Name: "x", AgentServiceCheck: api.AgentServiceCheck{TTL: "60s"}}
	list := []call{
		{"Agent.Self", nothing, nil}, {"Agent.Host", nothing, nil}, {"Agent.Version", nothing, nil},
		{"Agent.Metrics", nothing, nil}, {"Agent.NodeName", nothing, nil},
		{"Agent.MetricsStream", func() args { return args{inAWhile()} }, read},
		{"Agent.Members", nothing, nil},
		{"Agent.MembersOpts", with(api.MembersOpts{Filter: `Status == "1"`}), nil},
		{"Agent.Reload", nothing, nil},
		{"Agent.ServiceRegister", with(service), nil},
		{"Agent.ServiceRegisterOpts", with(many, api.ServiceRegisterOpts{ReplaceExistingChecks: true}), nil},
		{"Agent.Service", with("every-1"), nil},
		{"Agent.Services", nothing, nil},
		{"Agent.ServicesWithFilter", with(`Service == "every"`), nil},
		{"Agent.ServicesWithFilterOpts", with(`Service == "every"`), nil},
		{"Agent.Checks", nothing, nil},
		{"Agent.ChecksWithFilter", with(`Status == "critical"`), nil},
		{"Agent.ChecksWithFilterOpts", with(`Status == "critical"`), nil},
		{"Agent.CheckRegister", with(check), nil},
		{"Agent.CheckRegisterOpts", with(check), nil},
		{"Agent.PassTTL", with("every-ttl", "fine"), nil},
		{"Agent.WarnTTL", with("every-ttl", "so so"), nil},
		{"Agent.FailTTL", with("every-ttl", "bad"), nil},
		{"Agent.UpdateTTL", with("every-ttl", "fine", "pass"), nil},
		{"Agent.UpdateTTLOpts", with("every-ttl", "fine", "pass"), nil},
		{"Agent.AgentHealthServiceByID", with("every-1"), nil},
		{"Agent.AgentHealthServiceByIDOpts", with("every-1"), nil},
		{"Agent.AgentHealthServiceByName", with("every"), nil},
		{"Agent.AgentHealthServiceByNameOpts", with("every"), nil},
		{"Agent.EnableServiceMaintenance", with("every-1", "for now"), nil},
		{"Agent.EnableServiceMaintenanceOpts", with("every-1", "for now"), nil},
		{"Agent.DisableServiceMaintenance", with("every-1"), nil},
		{"Agent.DisableServiceMaintenanceOpts", with("every-1"), nil},
		{"Agent.EnableNodeMaintenance", with("for now"), nil},
		{"Agent.DisableNodeMaintenance", nothing, nil},
		{"Agent.CheckDeregister", with("every-check"), nil},
		{"Agent.CheckDeregisterOpts", with("every-ttl"), nil},
		{"Agent.Join", func() args { return args{ownGossip(), false} }, nil},
		{"Agent.ForceLeave", with("nobody"), nil},
		{"Agent.ForceLeaveOpts", with("nobody", api.ForceLeaveOpts{Prune: true}), nil},
		{"Agent.ForceLeaveOptions", with("nobody", api.ForceLeaveOpts{Prune: true}), nil},
		{"Agent.ForceLeavePrune", with("nobody"), nil},
		{"Agent.Monitor", func() args { return args{"info", stopSoon()} }, nil},
		{"Agent.MonitorJSON", func() args { return args{"info", stopSoon()} }, nil},
	}
	for _, token := range []string{
		"ACLToken", "ACLAgentToken", "ACLAgentMasterToken", "ACLReplicationToken", "DefaultACLToken", "AgentACLToken",
		"AgentMasterACLToken", "AgentRecoveryACLToken", "ReplicationACLToken", "ConfigFileRegistrationToken", "DNSToken",
	} {
		// The one that an agent is recovered with may do nothing else.
		secret := os.Getenv("BOSS")
		if strings.Contains(token, "Master") || strings.Contains(token, "Recovery") {
			secret = "44444444-4444-4444-8444-444444444444"
		}
		list = append(list, call{"Agent.Update" + token, with(secret), nil})
	}
	return list
}

func catalog() []call {
	tags := []string{"a", "b"}
	service := &api.AgentService{ID: "every-3", Service: "every-far", Tags: tags, Port: 80}
	far := &api.CatalogRegistration{Node: "every-node", Address: "10.1.2.3", Service: service, Locality: &api.Locality{Region: "r"}}
	return []call{
		{"Catalog.Register", with(far), nil},
		{"Catalog.Datacenters", nothing, nil}, {"Catalog.Nodes", nothing, nil}, {"Catalog.Services", nothing, nil},
		{"Catalog.Node", with("every-node"), nil},
		{"Catalog.NodeServiceList", with("every-node"), nil},
		{"Catalog.Service", with("every-far", "a"), nil},
		{"Catalog.ServiceMultipleTags", with("every-far", tags), nil},
		{"Catalog.Connect", with("every-far", ""), nil},
		{"Catalog.ConnectMultipleTags", with("every-far", tags), nil},
		{"Catalog.GatewayServices", with("every-gateway"), nil},
		{"Health.Service", with("every-far", "a", true), nil},
		{"Health.ServiceMultipleTags", with("every-far", tags, true), nil},
		{"Health.Connect", with("every-far", "", false), nil},
		{"Health.ConnectMultipleTags", with("every-far", tags, false), nil},
		{"Health.Ingress", with("every-far", false), nil},
		{"Health.Checks", with("every-far"), nil},
		{"Health.Node", with("every-node"), nil},
		{"Health.State", with("any"), nil},
		{"Catalog.Deregister", with(&api.CatalogDeregistration{Node: "every-node"}), nil},
		{"Agent.ServiceDeregister", with("every-1"), nil},
		{"Agent.ServiceDeregisterOpts", with("every-2"), nil},
	}
}

func queries() []call {
	definition := &api.PreparedQueryDefinition{Name: "every", Service: api.ServiceQuery{Service: "consul"}}
	changed := func() args {
		again := *definition
		again.ID = made["query"]
		return args{&again}
	}
	return []call{
		{"PreparedQuery.Create", with(definition), id("query")},
		{"PreparedQuery.Get", known("query"), nil},
		{"PreparedQuery.List", nothing, nil},
		{"PreparedQuery.Update", changed, nil},
		{"PreparedQuery.Execute", with("every"), nil},
		{"PreparedQuery.Delete", known("query"), nil},
	}
}

func last() []call {
	return []call{
		{"Snapshot.Save", nothing, read},
		{"Snapshot.Restore", func() args { return args{nil, bytes.NewReader(restored)} }, nil},
		{"Agent.Leave", nothing, nil},
	}
}
