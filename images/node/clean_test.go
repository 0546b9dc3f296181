package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

func TestCleanDeletesPathsAndGoesOnAfterOneThatFails(t *testing.T) {
	base := t.TempDir()
	write(t, filepath.Join(base, "file"), "x")
	must(t, os.Symlink(base, filepath.Join(base, "link")))
	wanted := clean{Paths: []string{filepath.Join(base, "link", "file"), filepath.Join(base, "file"), filepath.Join(base, "none")}}
	answer, err := wanted.perform()
	if pathOf(err) != filepath.Join(base, "link") {
		t.Errorf("the error is %v", err)
	}
	if gone := answer["paths"].([]string); len(gone) != 1 || gone[0] != filepath.Join(base, "file") {
		t.Errorf("gone are %v", gone)
	}
}

func TestCleanRefusesWhatIsTooWide(t *testing.T) {
	for _, text := range []string{`{"routes":["0.0.0.0/0"]}`, `{"comments":["a"]}`, `{"paths":["/"]}`} {
		var wanted clean
		must(t, json.Unmarshal([]byte(text), &wanted))
		if wanted.check() == nil {
			t.Errorf("%s was accepted", text)
		}
	}
}

func TestCleanEmptiesAFolderAndGivesItBackItsRights(t *testing.T) {
	base := t.TempDir()
	write(t, filepath.Join(base, "left"), "x")
	wanted := clean{Contents: []string{base}, Folders: []folder{{Path: base, Mode: 0o711, UID: 7, GID: 8}}}
	if _, err := wanted.perform(); err != nil {
		t.Fatal(err)
	}
	entry, err := os.Stat(base)
	must(t, err)
	owner := entry.Sys().(*syscall.Stat_t)
	if left, _ := os.ReadDir(base); len(left) != 0 || entry.Mode().Perm() != 0o711 || owner.Uid != 7 || owner.Gid != 8 {
		t.Errorf("left %v, mode %v, owner %d:%d", left, entry.Mode(), owner.Uid, owner.Gid)
	}
}
