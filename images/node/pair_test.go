package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// certificate makes one that ends after a while.
func certificate(t *testing.T, left time.Duration) []byte {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	plain := &x509.Certificate{SerialNumber: big.NewInt(now.UnixNano()), NotBefore: now.Add(-48 * time.Hour), NotAfter: now.Add(left)}
	made, err := x509.CreateCertificate(rand.Reader, plain, plain, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: made})
}

// offered wraps a program and gives what it then finds at the path, which held what is given before; nil: nothing.
func offered(t *testing.T, held []byte) (found, issued string) {
	t.Helper()
	folder := t.TempDir()
	spare := certificate(t, time.Hour)
	path := filepath.Join(folder, "pki", "own", "current.pem")
	store(t, filepath.Join(folder, "client.crt"), spare)
	store(t, filepath.Join(folder, "client.key"), []byte("the key\n"))
	if held != nil {
		store(t, filepath.Join(folder, "pki", "own", "got.pem"), held)
		if err := os.Symlink(filepath.Join(folder, "pki", "own", "got.pem"), path); err != nil {
			t.Fatal(err)
		}
	}
	words := folder + "/client.crt:" + folder + "/client.key:" + path
	out, err := program(t, "load", "--pair", words, "--", "cat", path).Output()
	if err != nil {
		t.Fatal(err)
	}
	return string(out), string(spare) + "the key\n"
}

func store(t *testing.T, path string, content []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestProgramWithoutACertificateOfItsOwnFindsTheOneThatWasIssued(t *testing.T) {
	for name, held := range map[string][]byte{"none": nil, "over": certificate(t, -time.Hour), "torn": []byte("-----BEGIN")} {
		if found, issued := offered(t, held); found != issued {
			t.Errorf("%s: found %q", name, found)
		}
	}
}

func TestProgramKeepsTheCertificateThatItGotItself(t *testing.T) {
	held := certificate(t, time.Hour)
	if found, _ := offered(t, held); found != string(held) {
		t.Fatalf("found %q", found)
	}
}

func TestPairIsALinkToAClosedFileAndMayBeOfferedAgain(t *testing.T) {
	folder := t.TempDir()
	spare := &pair{certificate: folder + "/crt", key: folder + "/key", held: folder + "/pki/current.pem"}
	store(t, spare.certificate, certificate(t, -time.Hour))
	store(t, spare.key, []byte("key\n"))
	store(t, spare.held+".new", []byte("left by one that was killed"))
	for range 2 {
		if err := spare.offer(time.Now()); err != nil {
			t.Fatal(err)
		}
	}
	target, err := os.Readlink(spare.held)
	if err != nil || target != folder+"/pki/issued.pem" {
		t.Fatalf("link to %q, %v", target, err)
	}
	if entry, err := os.Stat(spare.held); err != nil || entry.Mode().Perm() != 0o600 {
		t.Fatalf("%v, %v", entry, err)
	}
}
