package main

import (
	"strings"
)

// savedTable is one table of what iptables-save printed.
type savedTable struct {
	name   string
	chains []string
	rules  []savedRule
}

// savedRule is one "-A CHAIN ..." line.
type savedRule struct {
	chain   string
	rest    string // what follows "-A CHAIN ", exactly as printed
	target  string // of -j or -g
	comment string
}

// ownership tells which chains and rules are ours, by how their names and comments begin.
type ownership struct {
	chains   []string
	comments []string
}

// parseSaved reads the output of iptables-save; lines of other kinds (# comments) are passed over.
func parseSaved(text string) []savedTable {
	var tables []savedTable
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if name, ok := strings.CutPrefix(line, "*"); ok {
			tables = append(tables, savedTable{name: name})
		}
		if len(tables) == 0 {
			continue
		}
		table := &tables[len(tables)-1]
		if rest, ok := strings.CutPrefix(line, ":"); ok {
			chain, _, _ := strings.Cut(rest, " ")
			table.chains = append(table.chains, chain)
		}
		if rest, ok := strings.CutPrefix(line, "-A "); ok {
			table.rules = append(table.rules, parseRule(rest))
		}
	}
	return tables
}

func parseRule(text string) savedRule {
	chain, rest, _ := strings.Cut(text, " ")
	rule := savedRule{chain: chain, rest: rest}
	words := splitWords(rest)
	for i := 0; i+1 < len(words); i++ {
		switch words[i] {
		case "-j", "-g":
			rule.target = words[i+1]
		case "--comment":
			rule.comment = words[i+1]
			i++ // a comment's text is never an option
		}
	}
	return rule
}

// splitWords undoes the quoting of iptables-save: double quotes, with a backslash before quotes and backslashes.
func splitWords(text string) []string {
	var words []string
	var word strings.Builder
	inWord, quoted := false, false
	for i := 0; i < len(text); i++ {
		switch letter := text[i]; {
		case letter == '\\' && i+1 < len(text):
			i++
			word.WriteByte(text[i])
			inWord = true
		case letter == '"':
			quoted, inWord = !quoted, true
		case letter == ' ' && !quoted:
			if inWord {
				words = append(words, word.String())
			}
			word.Reset()
			inWord = false
		default:
			word.WriteByte(letter)
			inWord = true
		}
	}
	if inWord {
		words = append(words, word.String())
	}
	return words
}

// undo writes the input of iptables-restore --noflush that deletes what is ours of one table, or "" when nothing is.
//
// Chains are emptied first, then the rules of others that lead to them go, then the chains: each line finds what it needs.
func (o ownership) undo(table savedTable) (string, []string) {
	var emptied, deleted, dropped strings.Builder
	var gone []string
	for _, chain := range table.chains {
		if o.hasChain(chain) {
			emptied.WriteString(":" + chain + " - [0:0]\n")
			dropped.WriteString("-X " + chain + "\n")
			gone = append(gone, table.name+" "+chain)
		}
	}
	for _, rule := range table.rules {
		if !o.hasChain(rule.chain) && o.hasRule(rule) {
			deleted.WriteString("-D " + rule.chain + " " + rule.rest + "\n")
			gone = append(gone, table.name+" "+rule.chain+" "+rule.rest)
		}
	}
	if len(gone) == 0 {
		return "", nil
	}
	return "*" + table.name + "\n" + emptied.String() + deleted.String() + dropped.String() + "COMMIT\n", gone
}

func (o ownership) hasChain(name string) bool { return beginsWithAny(name, o.chains) }

func (o ownership) hasRule(rule savedRule) bool {
	return beginsWithAny(rule.target, o.chains) || beginsWithAny(rule.comment, o.comments)
}

func beginsWithAny(text string, prefixes []string) bool {
	for _, prefix := range prefixes {
		if strings.HasPrefix(text, prefix) {
			return true
		}
	}
	return false
}
