// Command rkx-node does on a machine what the Docker Engine cannot: files, facts, mounts, modules, links and rules.
//
// It holds a closed list of verbs and starts no shell. See README.md.
package main

import (
	"fmt"
	"os"
	"syscall"
)

// Exit codes that rkx reads.
const (
	exitDone        = 0
	exitFailed      = 1
	exitMalformed   = 3
	exitUnreachable = 4
)

func main() {
	os.Exit(run(os.Args[1:]))
}

// run chooses the way in: no argument is a batch on standard input.
func run(arguments []string) int {
	if len(arguments) == 0 {
		syscall.Umask(0o077)
		return runBatch(&bounded{in: os.Stdin, rest: mostRest, left: mostBytes}, os.Stdout, os.Stderr)
	}
	switch command, rest := arguments[0], arguments[1:]; command {
	case "load":
		return wrap(rest, os.Stderr)
	case "relay":
		return relay(rest, os.Stdin, os.Stdout, os.Stderr)
	default:
		fmt.Fprintf(os.Stderr, "rkx-node: unknown command %q; use no argument for a batch, or load, or relay\n", command)
		return exitMalformed
	}
}
