// What a program in Go says to Consul: github.com/hashicorp/consul/api, unchanged.
package main

import (
	"errors"
	"fmt"
	"os"
	"sync/atomic"
	"time"

	"github.com/hashicorp/consul/api"
	"github.com/hashicorp/consul/api/watch"
)

var client *api.Client
var failed = false

func show(name string, test func() error) {
	if err := test(); err != nil {
		failed = true
		fmt.Printf("FAIL %s: %v\n", name, err)
		return
	}
	fmt.Printf("ok %s\n", name)
}

func check(ok bool, format string, args ...any) error {
	if ok {
		return nil
	}
	return fmt.Errorf(format, args...)
}

func main() {
	var err error
	if client, err = api.NewClient(api.DefaultConfig()); err != nil {
		panic(err)
	}
	show("kv: put, get, cas, list, keys, delete", keyValues)
	show("kv: flags beyond 2^63", flags)
	show("lock: one holds, the other gets it after unlock", locks)
	show("semaphore: two of three", semaphores)
	show("txn: all or nothing", transactions)
	show("catalog and health: register, find, deregister", services)
	show("agent: register with a TTL check, pass it, find it passing", agent)
	show("watch: a key's plan sees each value", watches)
	show("session: create, renew, list, destroy", sessions)
	show("event: fire and list", events)
	show("prepared query: make, execute, delete", queries)
	show("status, operator, coordinate", others)
	if failed {
		os.Exit(1)
	}
}

func keyValues() error {
	kv := client.KV()
	if _, err := kv.Put(&api.KVPair{Key: "go/a", Value: []byte("1")}, nil); err != nil {
		return err
	}
	pair, meta, err := kv.Get("go/a", nil)
	if err != nil || pair == nil || string(pair.Value) != "1" || meta.LastIndex != pair.ModifyIndex {
		return fmt.Errorf("get: %v %v %v", pair, meta, err)
	}
	if !meta.KnownLeader {
		return errors.New("no known leader")
	}
	pair.Value = []byte("2")
	won, _, err := kv.CAS(pair, nil)
	if err != nil || !won {
		return fmt.Errorf("cas: %v %v", won, err)
	}
	won, _, err = kv.CAS(pair, nil)
	if err != nil || won {
		return fmt.Errorf("old cas: %v %v", won, err)
	}
	keys, _, err := kv.Keys("go/", "/", nil)
	if err != nil || len(keys) != 1 {
		return fmt.Errorf("keys: %v %v", keys, err)
	}
	if _, err = kv.DeleteTree("go/", nil); err != nil {
		return err
	}
	pair, _, err = kv.Get("go/a", nil)
	return check(err == nil && pair == nil, "after delete: %v %v", pair, err)
}

func flags() error {
	kv := client.KV()
	const most = ^uint64(0) - 1
	if _, err := kv.Put(&api.KVPair{Key: "go-flags", Flags: most}, nil); err != nil {
		return err
	}
	pair, _, err := kv.Get("go-flags", nil)
	return check(err == nil && pair.Flags == most, "%v %v", pair, err)
}

func locks() error {
	options := &api.LockOptions{Key: "go-lock", SessionTTL: "10s", LockDelay: time.Millisecond}
	first, err := client.LockOpts(options)
	if err != nil {
		return err
	}
	lost, err := first.Lock(nil)
	if err != nil || lost == nil {
		return fmt.Errorf("lock: %v", err)
	}
	second, err := client.LockOpts(options)
	if err != nil {
		return err
	}
	taken := make(chan error, 1)
	go func() {
		_, err := second.Lock(nil)
		taken <- err
	}()
	select {
	case err := <-taken:
		return fmt.Errorf("both hold it: %v", err)
	case <-time.After(300 * time.Millisecond):
	}
	if err := first.Unlock(); err != nil {
		return err
	}
	select {
	case err := <-taken:
		if err != nil {
			return err
		}
	case <-time.After(10 * time.Second):
		return errors.New("the second never got it")
	}
	if err := second.Unlock(); err != nil {
		return err
	}
	return second.Destroy()
}

func semaphores() error {
	var held int32
	released := make(chan *api.Semaphore, 3)
	acquired := make(chan *api.Semaphore, 3)
	for i := 0; i < 3; i++ {
		semaphore, err := client.SemaphorePrefix("go-semaphore", 2)
		if err != nil {
			return err
		}
		go func() {
			if _, err := semaphore.Acquire(nil); err == nil {
				atomic.AddInt32(&held, 1)
				acquired <- semaphore
			}
		}()
	}
	first := <-acquired
	<-acquired
	time.Sleep(300 * time.Millisecond)
	if n := atomic.LoadInt32(&held); n != 2 {
		return fmt.Errorf("%d hold it", n)
	}
	if err := first.Release(); err != nil {
		return err
	}
	select {
	case third := <-acquired:
		released <- third
	case <-time.After(10 * time.Second):
		return errors.New("the third never got it")
	}
	return nil
}

func transactions() error {
	ops := api.TxnOps{
		{KV: &api.KVTxnOp{Verb: api.KVSet, Key: "go-txn", Value: []byte("x"), Flags: 1 << 63}},
		{KV: &api.KVTxnOp{Verb: api.KVGet, Key: "go-txn"}},
	}
	ok, answer, _, err := client.Txn().Txn(ops, nil)
	if err != nil || !ok || len(answer.Results) != 2 || answer.Results[1].KV.Flags != 1<<63 {
		return fmt.Errorf("%v %+v %v", ok, answer, err)
	}
	ops = append(ops, &api.TxnOp{KV: &api.KVTxnOp{Verb: api.KVGet, Key: "go-none"}})
	ok, answer, _, err = client.Txn().Txn(ops, nil)
	return check(err == nil && !ok && len(answer.Errors) == 1, "%v %+v %v", ok, answer, err)
}

func services() error {
	registration := &api.CatalogRegistration{
		Node:    "go-node",
		Address: "10.1.2.3",
		Service: &api.AgentService{ID: "go-1", Service: "go-web", Tags: []string{"a"}, Port: 80},
		Checks: api.HealthChecks{{
			Node: "go-node", CheckID: "c", Name: "c", Status: "passing", ServiceID: "go-1",
			Definition: api.HealthCheckDefinition{IntervalDuration: 10 * time.Second},
		}},
	}
	if _, err := client.Catalog().Register(registration, nil); err != nil {
		return err
	}
	entries, meta, err := client.Health().Service("go-web", "a", true, nil)
	if err != nil || len(entries) != 1 || entries[0].Checks.AggregatedStatus() != "passing" {
		return fmt.Errorf("health: %v %v", entries, err)
	}
	woken := make(chan error, 1)
	go func() {
		wait := &api.QueryOptions{WaitIndex: meta.LastIndex, WaitTime: 20 * time.Second}
		entries, _, err := client.Health().Service("go-web", "", true, wait)
		woken <- check(err == nil && len(entries) == 0, "woken with %v %v", entries, err)
	}()
	time.Sleep(200 * time.Millisecond)
	gone := &api.CatalogDeregistration{Node: "go-node"}
	if _, err := client.Catalog().Deregister(gone, nil); err != nil {
		return err
	}
	if err := <-woken; err != nil {
		return err
	}
	names, _, err := client.Catalog().Services(&api.QueryOptions{AllowStale: true})
	return check(err == nil && names["go-web"] == nil, "%v %v", names, err)
}

func agent() error {
	service := &api.AgentServiceRegistration{
		Name: "go-agent", Port: 81, Meta: map[string]string{"k": "v"},
		Check: &api.AgentServiceCheck{TTL: "10s"},
	}
	if err := client.Agent().ServiceRegister(service); err != nil {
		return err
	}
	if err := client.Agent().UpdateTTL("service:go-agent", "fine", api.HealthPassing); err != nil {
		return err
	}
	for i := 0; i < 50; i++ {
		entries, _, err := client.Health().Service("go-agent", "", true, nil)
		if err != nil {
			return err
		}
		if len(entries) == 1 {
			if _, err := client.Agent().Self(); err != nil {
				return fmt.Errorf("self: %w", err)
			}
			if _, err := client.Agent().Members(false); err != nil {
				return fmt.Errorf("members: %w", err)
			}
			return client.Agent().ServiceDeregister("go-agent")
		}
		time.Sleep(100 * time.Millisecond)
	}
	return errors.New("it never came into the catalog")
}

func watches() error {
	plan, err := watch.Parse(map[string]any{"type": "key", "key": "go-watched"})
	if err != nil {
		return err
	}
	seen := make(chan string, 10)
	plan.Handler = func(_ uint64, raw any) {
		if pair, ok := raw.(*api.KVPair); ok && pair != nil {
			seen <- string(pair.Value)
		}
	}
	go func() { _ = plan.RunWithClientAndHclog(client, nil) }()
	defer plan.Stop()
	for _, value := range []string{"one", "two"} {
		pair := &api.KVPair{Key: "go-watched", Value: []byte(value)}
		if _, err := client.KV().Put(pair, nil); err != nil {
			return err
		}
		select {
		case got := <-seen:
			if got != value {
				return fmt.Errorf("saw %s for %s", got, value)
			}
		case <-time.After(10 * time.Second):
			return fmt.Errorf("never saw %s", value)
		}
	}
	return nil
}

func sessions() error {
	id, _, err := client.Session().Create(&api.SessionEntry{Name: "go", TTL: "10s"}, nil)
	if err != nil {
		return err
	}
	entry, _, err := client.Session().Renew(id, nil)
	if err != nil || entry == nil || entry.LockDelay != 15*time.Second {
		return fmt.Errorf("renew: %+v %v", entry, err)
	}
	if _, err := client.Session().Destroy(id, nil); err != nil {
		return err
	}
	entry, _, err = client.Session().Renew(id, nil)
	return check(err == nil && entry == nil, "renew after destroy: %v %v", entry, err)
}

func events() error {
	id, _, err := client.Event().Fire(&api.UserEvent{Name: "go", Payload: []byte("x")}, nil)
	if err != nil {
		return err
	}
	list, meta, err := client.Event().List("go", nil)
	if err != nil || len(list) != 1 || list[0].ID != id {
		return fmt.Errorf("%v %v", list, err)
	}
	return check(meta.LastIndex == client.Event().IDToIndex(id), "index %d", meta.LastIndex)
}

func queries() error {
	definition := &api.PreparedQueryDefinition{
		Name: "go-query", Service: api.ServiceQuery{Service: "consul"},
	}
	id, _, err := client.PreparedQuery().Create(definition, nil)
	if err != nil {
		return err
	}
	answer, _, err := client.PreparedQuery().Execute("go-query", nil)
	if err != nil || len(answer.Nodes) != 1 {
		return fmt.Errorf("%+v %v", answer, err)
	}
	_, err = client.PreparedQuery().Delete(id, nil)
	return err
}

func others() error {
	if leader, err := client.Status().Leader(); err != nil || leader == "" {
		return fmt.Errorf("leader: %v %v", leader, err)
	}
	if _, err := client.Operator().RaftGetConfiguration(nil); err != nil {
		return err
	}
	if _, err := client.Operator().AutopilotGetConfiguration(nil); err != nil {
		return err
	}
	_, _, err := client.Coordinate().Nodes(nil)
	return err
}
