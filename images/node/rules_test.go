package main

import (
	"slices"
	"strings"
	"syscall"
	"testing"
)

var clusterRules = ownership{
	chains: []string{"KUBE-", "FLANNEL-", "CNI-"}, comments: []string{"flanneld ", "cri-dockerd"},
}

func TestSavedRulesAreUndoneAsGolden(t *testing.T) {
	for _, name := range []string{"filter", "nat"} {
		tables := parseSaved(content(t, "testdata/"+name+".saved"))
		if len(tables) != 1 {
			t.Fatalf("%s has %d tables", name, len(tables))
		}
		if input, _ := clusterRules.undo(tables[0]); input != content(t, "testdata/"+name+".undo") {
			t.Errorf("%s is undone by\n%s", name, input)
		}
	}
}

func TestUndoOfAMachineWithoutUsIsEmpty(t *testing.T) {
	saved := "*filter\n:INPUT ACCEPT [0:0]\n:DOCKER-USER - [0:0]\n-A INPUT -j DOCKER-USER\nCOMMIT\n"
	if input, gone := clusterRules.undo(parseSaved(saved)[0]); input != "" || gone != nil {
		t.Fatalf("would write %q", input)
	}
}

func TestWordsAreSplitAsIptablesQuotesThem(t *testing.T) {
	words := splitWords(`-m comment --comment "a \"b\" -j KUBE-X \\" -j ACCEPT ""`)
	if want := []string{"-m", "comment", "--comment", `a "b" -j KUBE-X \`, "-j", "ACCEPT", ""}; !slices.Equal(words, want) {
		t.Fatalf("words are %q", words)
	}
}

// TestCleanUndoesRealTables restores the samples in an empty network namespace and cleans it with the real programs.
func TestCleanUndoesRealTables(t *testing.T) {
	for _, programs := range installed(families[0]) {
		t.Run(programs.save, func(t *testing.T) {
			apart(t, syscall.CLONE_NEWNET, func() error { return restoreAndClean(t, programs) })
		})
	}
}

func restoreAndClean(t *testing.T, programs variant) error {
	for _, name := range []string{"filter", "nat"} {
		if _, err := runFixed(content(t, "testdata/"+name+".saved"), programs.restore); err != nil {
			return err
		}
	}
	before, err := runFixed("", programs.save)
	if err != nil {
		return err
	}
	gone, err := deleteRules(clusterRules)
	if err != nil || len(gone) != 42 {
		t.Errorf("%d are gone, %v", len(gone), err)
	}
	after, err := runFixed("", programs.save)
	if want := withoutOurs(before); err != nil || !slices.Equal(plainLines(after), want) {
		t.Errorf("left are\n%s\nwanted\n%s", after, strings.Join(want, "\n"))
	}
	again, err := deleteRules(clusterRules)
	if len(again) > 0 {
		t.Errorf("a second run deleted %v", again)
	}
	return err
}

func plainLines(saved string) []string {
	var lines []string
	for line := range strings.Lines(saved) {
		if line = strings.TrimSpace(line); !strings.HasPrefix(line, "#") {
			lines = append(lines, line)
		}
	}
	return lines
}

// withoutOurs is written apart from the program: a line is ours if it names a chain of ours outside of a comment of the operator.
func withoutOurs(saved string) []string {
	return slices.DeleteFunc(plainLines(saved), func(line string) bool {
		if strings.Contains(line, "ops: ") || strings.Contains(line, "office; ") {
			return false
		}
		return strings.Contains(line, "KUBE-") || strings.Contains(line, "FLANNEL-") || strings.Contains(line, "CNI-") ||
			strings.Contains(line, `"flanneld masq"`)
	})
}

func TestAMissingProgramIsNamed(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	_, err := deleteRules(clusterRules)
	if err == nil || !strings.Contains(err.Error(), `"iptables-save"`) {
		t.Fatalf("the error is %v", err)
	}
}
