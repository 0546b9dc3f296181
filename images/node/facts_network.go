package main

import (
	"encoding/binary"
	"encoding/hex"
	"net"
	"net/netip"
	"strconv"
	"strings"
)

func listInterfaces() ([]report, error) {
	present, err := net.Interfaces()
	if err != nil {
		return nil, err
	}
	listed := []report{}
	for _, link := range present {
		found, err := link.Addrs()
		if err != nil {
			return nil, err
		}
		addresses := []string{}
		for _, address := range found {
			addresses = append(addresses, address.String())
		}
		up := link.Flags&net.FlagUp != 0
		listed = append(listed, report{"name": link.Name, "mtu": link.MTU, "addresses": addresses, "up": up})
	}
	return listed, nil
}

// defaultRoute takes the default route of the lowest metric from /proc/net/route, or nil.
func defaultRoute(text string) any {
	var best report
	lowest := uint64(0)
	for line := range strings.Lines(text) {
		fields := strings.Fields(line)
		if len(fields) < 8 || fields[1] != "00000000" || fields[7] != "00000000" {
			continue
		}
		metric, err := strconv.ParseUint(fields[6], 10, 32)
		gateway, ok := parseKernelAddress(fields[2])
		if err == nil && ok && (best == nil || metric < lowest) {
			best, lowest = report{"interface": fields[0], "gateway": gateway.String()}, metric
		}
	}
	if best == nil {
		return nil
	}
	return best
}

// parseKernelAddress reads hexadecimal 32 bit words, each in the machine's own byte order.
func parseKernelAddress(text string) (netip.Addr, bool) {
	words, err := hex.DecodeString(text)
	if err != nil || len(words)%4 != 0 {
		return netip.Addr{}, false
	}
	for at := 0; at < len(words); at += 4 {
		binary.BigEndian.PutUint32(words[at:], binary.NativeEndian.Uint32(words[at:]))
	}
	address, ok := netip.AddrFromSlice(words)
	return address.Unmap(), ok
}

// listening states in /proc/net: TCP_LISTEN, and TCP_CLOSE for an unconnected UDP socket.
var listeningStates = []struct{ protocol, state string }{
	{"tcp", "0A"}, {"tcp6", "0A"}, {"udp", "07"}, {"udp6", "07"},
}

func listListening() []report {
	all := []report{}
	for _, kind := range listeningStates {
		all = append(all, parseListening(kind.protocol, kind.state, read("/proc/thread-self/net/"+kind.protocol))...)
	}
	return all
}

func parseListening(protocol, state, text string) []report {
	found := []report{}
	for line := range strings.Lines(text) {
		fields := strings.Fields(line)
		if len(fields) < 4 || fields[3] != state {
			continue
		}
		host, number, _ := strings.Cut(fields[1], ":")
		address, ok := parseKernelAddress(host)
		port, err := strconv.ParseUint(number, 16, 16)
		if ok && err == nil {
			found = append(found, report{"proto": protocol, "port": port, "address": address.String()})
		}
	}
	return found
}

// podResolvConf keeps what a pod can use: a resolver on the machine's loopback is out of its reach.
//
// behind is systemd-resolved's list of the servers that its local stub asks.
func podResolvConf(own, behind string) string {
	if strings.Contains(own, "127.0.0.53") && behind != "" {
		own = behind
	}
	var kept strings.Builder
	for line := range strings.Lines(own) {
		fields := strings.Fields(line)
		if len(fields) < 2 {
			continue
		}
		switch fields[0] {
		case "search", "domain", "options":
			kept.WriteString(strings.Join(fields, " ") + "\n")
		case "nameserver":
			if address, err := netip.ParseAddr(fields[1]); err == nil && !address.IsLoopback() {
				kept.WriteString("nameserver " + fields[1] + "\n")
			}
		}
	}
	return kept.String()
}
