package main

import (
	"encoding/json"
	"os"
	"path/filepath"
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
