// A client of gRPC that knows services by xDS: `caller xds:///web CALLERS` prints a line of JSON for each call: when it
// ended, who answered or why nobody did, and how long it took.
package main

import (
	"context"
	"encoding/json"
	"os"
	"strconv"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	_ "google.golang.org/grpc/xds"
)

const (
	pause    = 10 * time.Millisecond
	deadline = 20 * time.Second
)

// Bytes as they are: what is said has no schema.
type raw struct{}

func (raw) Marshal(v any) ([]byte, error) { return v.([]byte), nil }
func (raw) Unmarshal(bytes []byte, v any) error {
	*(v.(*[]byte)) = append([]byte(nil), bytes...)
	return nil
}
func (raw) Name() string { return "raw" }

type told struct {
	At  float64 `json:"at"`
	Ms  float64 `json:"ms"`
	Who string  `json:"who"`
	Why string  `json:"why"`
}

func ms(nanos int64) float64 { return float64(nanos) / 1e6 }

func main() {
	callers, _ := strconv.Atoi(os.Args[2])
	channel, err := grpc.NewClient(os.Args[1],
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithDefaultCallOptions(grpc.ForceCodec(raw{})))
	if err != nil {
		panic(err)
	}
	var writing sync.Mutex
	out := json.NewEncoder(os.Stdout)
	for range callers {
		go func() {
			for {
				begun := time.Now()
				patience, cancel := context.WithTimeout(context.Background(), deadline)
				var said []byte
				err := channel.Invoke(patience, "/lab.Echo/Say", []byte{}, &said)
				cancel()
				line := told{At: ms(time.Now().UnixNano()), Ms: ms(time.Since(begun).Nanoseconds()), Who: string(said)}
				if err != nil {
					line.Who, line.Why = "", err.Error()
				}
				writing.Lock()
				if out.Encode(line) != nil {
					os.Exit(0)
				}
				writing.Unlock()
				time.Sleep(pause)
			}
		}()
	}
	select {}
}
