package main

import (
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"time"
)

const secondsToConnect = 10

// halfCloser is what TCP and unix connections share.
type halfCloser interface {
	net.Conn
	CloseWrite() error
}

// relay joins standard input and output with an address as seen from this machine.
//
// The end of the input closes one half; the end of the answer ends the relay, as docker system dial-stdio does.
func relay(arguments []string, in io.Reader, out, complaints io.Writer) int {
	network, address, err := parseAddress(arguments)
	if err != nil {
		fmt.Fprintf(complaints, "rkx-node relay: %v\n", err)
		return exitMalformed
	}
	dialled, err := net.DialTimeout(network, address, secondsToConnect*time.Second)
	if err != nil {
		fmt.Fprintf(complaints, "rkx-node relay: %s\n", describe(err))
		return exitUnreachable
	}
	connection := dialled.(halfCloser) // both networks that parseAddress lets through are
	defer connection.Close()
	go func() {
		// A broken connection is seen by the other direction, which decides how the relay ends.
		_, _ = io.Copy(connection, in)
		_ = connection.CloseWrite()
	}()
	if _, err := io.Copy(out, connection); err != nil {
		fmt.Fprintf(complaints, "rkx-node relay: %s\n", describe(err))
		return exitFailed
	}
	return exitDone
}

func parseAddress(arguments []string) (network, address string, err error) {
	if len(arguments) == 1 {
		network, address, _ = strings.Cut(arguments[0], ":")
		if (network == "tcp" || network == "unix") && address != "" {
			return network, address, nil
		}
	}
	return "", "", errors.New("usage: rkx-node relay tcp:HOST:PORT | unix:/PATH")
}
