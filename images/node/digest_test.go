package main

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"testing"
)

func TestDigestTellsFilesFoldersLinksAndWhatIsMissing(t *testing.T) {
	base := t.TempDir()
	write(t, filepath.Join(base, "file"), "secret")
	must(t, os.Chown(filepath.Join(base, "file"), 8, 9))
	must(t, os.Symlink("file", filepath.Join(base, "link")))
	paths := []string{base, filepath.Join(base, "file"), filepath.Join(base, "link"), filepath.Join(base, "a", "b")}
	answer, err := (&digest{Paths: paths, Key: []byte("key")}).perform()
	if err != nil {
		t.Fatal(err)
	}
	entries := answer["entries"].([]report)
	for i, kind := range []string{"folder", "file", "link", "missing"} {
		if entries[i]["kind"] != kind || entries[i]["path"] != paths[i] {
			t.Errorf("entry %d is %v, want a %s", i, entries[i], kind)
		}
	}
	code := hmac.New(sha256.New, []byte("key"))
	code.Write([]byte("secret"))
	file := entries[1]
	if file["hmac"] != hex.EncodeToString(code.Sum(nil)) || file["mode"] != "0644" || file["uid"] != uint32(8) || file["gid"] != uint32(9) {
		t.Errorf("the file is %v", file)
	}
}

func TestDigestNeedsAKey(t *testing.T) {
	if (&digest{Paths: []string{"/etc/hostname"}}).check() == nil {
		t.Fatal("a digest without a key was accepted")
	}
}
