package main

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// digest tells what stands at paths without showing contents.
type digest struct {
	Verb  string   `json:"verb"`
	Paths []string `json:"paths"`
	Key   []byte   `json:"key"`
}

func (d *digest) check() error {
	if len(d.Key) == 0 {
		return errors.New("key is missing: a bare digest of a short secret could be guessed")
	}
	for _, path := range d.Paths {
		if err := checkPath(path); err != nil {
			return err
		}
	}
	return nil
}

func (d *digest) perform() (report, error) {
	entries := []report{}
	for _, path := range d.Paths {
		entry, err := d.describe(path)
		if err != nil {
			return nil, err
		}
		entry["path"] = path
		entries = append(entries, entry)
	}
	return report{"entries": entries}, nil
}

func (d *digest) describe(path string) (report, error) {
	parent, err := openFolder(filepath.Dir(path))
	if isMissing(err) {
		return report{"kind": "missing"}, nil
	}
	if err != nil {
		return nil, err
	}
	defer parent.Close()
	entry, err := statAt(parent, filepath.Base(path))
	if isMissing(err) {
		return report{"kind": "missing"}, nil
	}
	if err != nil {
		return nil, err
	}
	answer := report{
		"kind": kindOf(entry), "mode": fileMode(entry.Mode & permissions).String(), "uid": entry.Uid, "gid": entry.Gid,
		"mtime": time.Unix(entry.Mtim.Unix()).UTC().Format(time.RFC3339Nano),
	}
	if !isRegular(entry) {
		return answer, nil
	}
	answer["hmac"], err = d.sum(parent, filepath.Base(path))
	return answer, err
}

func (d *digest) sum(parent *os.File, name string) (string, error) {
	content, err := readAt(parent, name)
	if err != nil {
		return "", err
	}
	code := hmac.New(sha256.New, d.Key)
	code.Write(content)
	return hex.EncodeToString(code.Sum(nil)), nil
}

func kindOf(entry *syscall.Stat_t) string {
	switch {
	case isRegular(entry):
		return "file"
	case isFolder(entry):
		return "folder"
	case isLink(entry):
		return "link"
	default:
		return "special"
	}
}
