package main

import (
	"io"
	"net"
	"path/filepath"
	"strings"
	"testing"
)

// echoAfterEnd answers only when the other half was closed, so it shows that this end arrives.
func echoAfterEnd(t *testing.T, network, address string) net.Listener {
	t.Helper()
	listener, err := net.Listen(network, address)
	must(t, err)
	t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			connection, err := listener.Accept()
			if err != nil {
				return
			}
			text, _ := io.ReadAll(connection)
			_, _ = connection.Write(append([]byte("got "), text...))
			connection.Close()
		}
	}()
	return listener
}

func TestRelayCarriesBothWaysAndTheEndOfInput(t *testing.T) {
	tcp := echoAfterEnd(t, "tcp", "127.0.0.1:0")
	unix := echoAfterEnd(t, "unix", filepath.Join(t.TempDir(), "socket"))
	for _, address := range []string{"tcp:" + tcp.Addr().String(), "unix:" + unix.Addr().String()} {
		large := strings.Repeat("\x00\xff\n", 1<<20)
		command := program(t, "relay", address)
		command.Stdin = strings.NewReader(large)
		out, err := command.Output()
		if err != nil || string(out) != "got "+large {
			t.Errorf("%s: %d bytes came back, %v", address, len(out), err)
		}
	}
}

func TestRelayEndsWithTheAnswerWhileInputStaysOpen(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	defer listener.Close()
	go func() {
		if connection, err := listener.Accept(); err == nil {
			_, _ = connection.Write([]byte("bye"))
			connection.Close()
		}
	}()
	command := program(t, "relay", "tcp:"+listener.Addr().String())
	input, err := command.StdinPipe()
	must(t, err)
	defer input.Close()
	if out, err := command.Output(); err != nil || string(out) != "bye" {
		t.Fatalf("printed %q, %v", out, err)
	}
}

func TestRelayTellsWhyNobodyAnswers(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	closed := listener.Addr().String()
	listener.Close()
	for address, name := range map[string]string{"tcp:" + closed: "ECONNREFUSED", "unix:" + t.TempDir() + "/none": "ENOENT"} {
		command := program(t, "relay", address)
		out, _ := command.CombinedOutput()
		if command.ProcessState.ExitCode() != exitUnreachable || !strings.Contains(string(out), name) {
			t.Errorf("%s: exit %d, said %q", address, command.ProcessState.ExitCode(), out)
		}
	}
}

func TestRelayKnowsTwoNetworks(t *testing.T) {
	for _, arguments := range [][]string{{}, {"udp:1.1.1.1:1"}, {"tcp:"}, {"127.0.0.1:1"}, {"tcp:a:1", "b"}} {
		if _, _, err := parseAddress(arguments); err == nil {
			t.Errorf("%q was accepted", arguments)
		}
	}
}
