package main

import (
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// pair is a certificate and its key that rkx issued, for a program that renews by itself what it holds at a path.
type pair struct{ certificate, key, held string }

func parsePair(value string) (*pair, error) {
	paths := strings.Split(value, ":")
	if len(paths) != 3 {
		return nil, fmt.Errorf("pair %q is not CERTIFICATE:KEY:HELD", value)
	}
	parsed := &pair{certificate: paths[0], key: paths[1], held: paths[2]}
	return parsed, errors.Join(checkPath(parsed.certificate), checkPath(parsed.key), checkPath(parsed.held))
}

// offer puts the pair to where the program looks, unless what it got itself is there and not over.
func (p *pair) offer(now time.Time) error {
	held, err := os.ReadFile(p.held)
	if err == nil && lasts(held, now) {
		return nil
	}
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	certificate, err := os.ReadFile(p.certificate)
	if err != nil {
		return err
	}
	key, err := os.ReadFile(p.key)
	if err != nil {
		return err
	}
	return p.give(append(certificate, key...))
}

// give writes one file beside and makes the path a link to it, as the kubelet does with what it gets itself.
func (p *pair) give(content []byte) error {
	folder, err := makeFolders(filepath.Dir(p.held))
	if err != nil {
		return err
	}
	folder.Close()
	issued := filepath.Join(filepath.Dir(p.held), "issued.pem")
	if _, err := (&put{Path: issued, Mode: 0o600, Content: content}).perform(); err != nil {
		return err
	}
	beside := p.held + ".new"
	if err := os.Remove(beside); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return errors.Join(os.Symlink(issued, beside), os.Rename(beside, p.held))
}

// lasts tells a certificate that is not over; what cannot be read as one is no better than one that is.
func lasts(text []byte, now time.Time) bool {
	block, _ := pem.Decode(text)
	if block == nil {
		return false
	}
	certificate, err := x509.ParseCertificate(block.Bytes)
	return err == nil && now.Before(certificate.NotAfter)
}
