package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

const fenceName = "fence"

// fenceFolder is rkx's own folder on a machine; tests put another in its place.
var fenceFolder = "/var/lib/rkx"

// begin is the first line of a batch: whose it is, and the number of its run.
type begin struct {
	Verb    string `json:"verb"`
	Cluster string `json:"cluster"`
	Number  uint64 `json:"number"`
	Batch   string `json:"batch"`
}

// fence is what a machine remembers: the highest number of a run that changed something, and of which cluster.
type fence struct {
	Cluster string `json:"cluster"`
	Number  uint64 `json:"number"`
}

// overtaken tells that a run with a higher number was here.
type overtaken struct{ mine, seen uint64 }

func (o *overtaken) Error() string {
	return fmt.Sprintf("the run's number %d is lower than %d", o.mine, o.seen)
}

func (o *overtaken) Unwrap() error { return syscall.EPERM }

func (b *begin) check() error {
	if b.Cluster == "" || b.Batch == "" {
		return errors.New("cluster or batch is missing")
	}
	return nil
}

// perform is never called: a beginning is admitted before all that follows it.
func (b *begin) perform() (report, error) { return report{}, nil }

// admit lets a batch in, or refuses it; what it gives is held until the batch is done: one at a time on a machine.
//
// A batch that only reads leaves no trace, and so is compared alone.
func (b *begin) admit(writes bool) (*os.File, error) {
	folder, err := ownFolder(writes)
	if isMissing(err) && !writes {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if err := b.pass(folder, writes); err != nil {
		folder.Close()
		return nil, err
	}
	return folder, nil
}

func (b *begin) pass(folder *os.File, writes bool) error {
	if writes {
		if err := syscall.Flock(int(folder.Fd()), syscall.LOCK_EX); err != nil {
			return &os.PathError{Op: "lock", Path: folder.Name(), Err: err}
		}
	}
	seen, err := readFence(folder)
	switch {
	case err != nil:
		return err
	case seen.Cluster == b.Cluster && b.Number < seen.Number:
		return &overtaken{mine: b.Number, seen: seen.Number}
	case !writes || seen == fence{Cluster: b.Cluster, Number: b.Number}:
		return nil
	}
	return b.remember(folder)
}

// ownFolder opens it in the machine's own view: the container `files` binds it at its place, `host` joins process 1.
func ownFolder(writes bool) (folder *os.File, err error) {
	way := openFolder
	if writes {
		way = makeFolders
	}
	open := func() (problem error) {
		folder, problem = way(fenceFolder)
		return problem
	}
	if os.Getpid() == 1 {
		err = open()
	} else {
		err = onMachine([]string{"mnt"}, open)
	}
	return folder, err
}

func readFence(folder *os.File) (fence, error) {
	var seen fence
	text, err := readAt(folder, fenceName)
	if isMissing(err) {
		return seen, nil
	}
	if err == nil && json.Unmarshal(text, &seen) != nil {
		err = &placed{path: filepath.Join(fenceFolder, fenceName), code: syscall.EINVAL,
			why: "damaged: delete it if no other run is at work"}
	}
	return seen, err
}

func (b *begin) remember(folder *os.File) error {
	text, err := json.Marshal(fence{Cluster: b.Cluster, Number: b.Number})
	if err != nil {
		return err
	}
	file := put{Path: filepath.Join(fenceFolder, fenceName), Mode: 0o600, UID: uint32(os.Geteuid()), GID: uint32(os.Getegid()), Content: text}
	if err := removeLeftovers(folder); err != nil {
		return err
	}
	temporary, err := file.stage(folder)
	if err != nil {
		return err
	}
	return file.publish(folder, temporary)
}
