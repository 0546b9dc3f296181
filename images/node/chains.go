package main

import (
	"bytes"
	"fmt"
	"os/exec"
	"strings"
)

// variant is one pair of programs for one kind of rules: legacy and nft tables are seen by their own programs alone.
type variant struct{ save, restore string }

// families holds, for IPv4 and IPv6, the variants in order of trust: the plain pair only where no other is installed.
var families = [][]variant{
	{
		{"iptables-legacy-save", "iptables-legacy-restore"},
		{"iptables-nft-save", "iptables-nft-restore"},
		{"iptables-save", "iptables-restore"},
	},
	{
		{"ip6tables-legacy-save", "ip6tables-legacy-restore"},
		{"ip6tables-nft-save", "ip6tables-nft-restore"},
		{"ip6tables-save", "ip6tables-restore"},
	},
}

// secondsForLock is how long a restore waits for another program's change (legacy's /run/xtables.lock).
const secondsForLock = "30"

// deleteRules deletes our chains and rules of every family and variant, and tells which.
//
// The programs come from the image that this binary was bound into; the rules are of the thread's network namespace.
func deleteRules(ours ownership) ([]string, error) {
	gone := []string{}
	for _, family := range families {
		found := installed(family)
		if len(found) == 0 {
			return gone, fmt.Errorf("program %q is not in this image: run clean in one that has iptables", family[2].save)
		}
		for _, programs := range found {
			deleted, err := programs.clean(ours)
			gone = append(gone, deleted...)
			if err != nil {
				return gone, err
			}
		}
	}
	return gone, nil
}

func installed(family []variant) []variant {
	var found []variant
	for i, programs := range family {
		isPlain := i == len(family)-1
		if _, err := exec.LookPath(programs.save); err == nil && !(isPlain && len(found) > 0) {
			found = append(found, programs)
		}
	}
	return found
}

func (v variant) clean(ours ownership) ([]string, error) {
	saved, err := runFixed("", v.save)
	if err != nil {
		return nil, err
	}
	var gone []string
	for _, table := range parseSaved(saved) {
		input, deleted := ours.undo(table)
		if input == "" {
			continue
		}
		if _, err := runFixed(input, v.restore, "--noflush", "--wait", secondsForLock); err != nil {
			return gone, fmt.Errorf("table %s: %w", table.name, err)
		}
		gone = append(gone, deleted...)
	}
	return gone, nil
}

// runFixed starts one program with fixed arguments, no shell, and gives what it printed.
func runFixed(input, program string, arguments ...string) (string, error) {
	command := exec.Command(program, arguments...)
	command.Stdin = strings.NewReader(input)
	var out, complaints bytes.Buffer
	command.Stdout, command.Stderr = &out, &complaints
	if err := command.Run(); err != nil {
		return "", fmt.Errorf("%s: %w: %s", program, err, strings.TrimSpace(complaints.String()))
	}
	return out.String(), nil
}
