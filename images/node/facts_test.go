package main

import (
	"maps"
	"net"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"testing"
	"time"
)

func TestFactsAreTheGoldenList(t *testing.T) {
	answers, code := batch(t, `{"verb":"facts","paths":["/","/no/such/folder"]}`, endLine)
	if code != exitDone {
		t.Fatalf("exit %d: %v", code, answers)
	}
	found := answers[0]["facts"].(map[string]any)
	golden := []string{
		"arch", "boot_id", "default_route", "free", "hostname", "interfaces", "kernel", "listening", "machine_id",
		"modules", "now", "resolv_conf", "swap", "sysctls",
	}
	if names := slices.Sorted(maps.Keys(found)); !slices.Equal(names, golden) {
		t.Errorf("facts are %v", names)
	}
	if _, err := time.Parse(time.RFC3339Nano, found["now"].(string)); err != nil || found["boot_id"] == "" {
		t.Errorf("now %v, boot id %v", found["now"], found["boot_id"])
	}
	free := found["free"].([]any)
	root, missing := free[0].(map[string]any), free[1].(map[string]any)
	if root["bytes"].(float64) <= 0 || root["there"] != true || missing["there"] != false || missing["bytes"].(float64) <= 0 || root["mode"] != "0755" {
		t.Errorf("free is %v", free)
	}
}

func TestSysctlsAreReadByNameAndOneThatIsMissingIsLeftOut(t *testing.T) {
	root := t.TempDir()
	must(t, os.MkdirAll(filepath.Join(root, "kernel/keys"), 0o755))
	must(t, os.WriteFile(filepath.Join(root, "kernel/panic"), []byte("10\n"), 0o644))
	must(t, os.WriteFile(filepath.Join(root, "kernel/keys/root_maxkeys"), []byte("1000000\n"), 0o644))
	want := map[string]string{"kernel.panic": "10", "kernel.keys.root_maxkeys": "1000000"}
	if found := readSysctls(root); !reflect.DeepEqual(found, want) {
		t.Fatalf("found %v", found)
	}
}

func TestFactsShowAListeningPort(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	defer listener.Close()
	want := report{"proto": "tcp", "address": "127.0.0.1", "port": uint64(listener.Addr().(*net.TCPAddr).Port)}
	if !slices.ContainsFunc(listListening(), func(one report) bool { return reflect.DeepEqual(one, want) }) {
		t.Fatalf("%v is not among %v", want, listListening())
	}
}

// Recorded on amd64.
const recordedSockets = `  sl  local_address                         remote_address                        st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 00000000000000000000000001000000:192B 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1
   1: 0000000000000000FFFF00000100007F:2712 0000000000000000FFFF00000100007F:9C40 01 00000000:00000000 00:00000000 00000000     0        0 2
   2: B80D01200000000000000000BC9A7856:01BB 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 3
`

func TestListeningSocketsAreReadInTheKernelsByteOrder(t *testing.T) {
	want := []report{
		{"proto": "tcp6", "port": uint64(6443), "address": "::1"},
		{"proto": "tcp6", "port": uint64(443), "address": "2001:db8::5678:9abc"},
	}
	if found := parseListening("tcp6", "0A", recordedSockets); !reflect.DeepEqual(found, want) {
		t.Fatalf("found %v", found)
	}
}

const recordedRoutes = `Iface	Destination	Gateway 	Flags	RefCnt	Use	Metric	Mask		MTU	Window	IRTT
wlan0	00000000	010200C0	0003	0	0	600	00000000	0	0	0
eth0	00000000	011EA8C0	0003	0	0	100	00000000	0	0	0
eth0	001EA8C0	00000000	0001	0	0	100	00FFFFFF	0	0	0
`

func TestTheDefaultRouteIsTheOneOfLowestMetric(t *testing.T) {
	want := report{"interface": "eth0", "gateway": "192.168.30.1"}
	if found := defaultRoute(recordedRoutes); !reflect.DeepEqual(found, want) {
		t.Fatalf("found %v", found)
	}
	if found := defaultRoute("Iface\tDestination\n"); found != nil {
		t.Fatalf("a machine without a default route has %v", found)
	}
}

func TestPodsGetNoResolverOfTheMachinesLoopback(t *testing.T) {
	stub := "nameserver 127.0.0.53\noptions edns0 trust-ad\nsearch example.org\n"
	behind := "# by systemd\nnameserver 192.0.2.53\nnameserver 2001:db8::53\nsearch example.org\n"
	for name, one := range map[string]struct{ own, behind, want string }{
		"systemd-resolved": {stub, behind, "nameserver 192.0.2.53\nnameserver 2001:db8::53\nsearch example.org\n"},
		"stub alone":       {stub, "", "options edns0 trust-ad\nsearch example.org\n"},
		"Docker's":         {"nameserver 127.0.0.11\nnameserver 192.0.2.1\noptions ndots:0\n", behind, "nameserver 192.0.2.1\noptions ndots:0\n"},
		"none":             {"", "", ""},
	} {
		if found := podResolvConf(one.own, one.behind); found != one.want {
			t.Errorf("%s: %q", name, found)
		}
	}
}

func TestSwapIsSeenBelowItsHeading(t *testing.T) {
	heading := "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n"
	if hasSwap(heading) || hasSwap("") || !hasSwap(heading+"/dev/sda2 partition 1 0 -2\n") {
		t.Fatal("swap is read wrong")
	}
}
