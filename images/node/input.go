package main

import (
	"errors"
	"fmt"
	"io"
	"time"
)

const (
	// mostBytes is the largest batch: all of it is in memory before anything is done.
	mostBytes = 32 << 20
	// mostRest is how long the input may rest: its other end may be gone without anybody having told.
	mostRest = 60 * time.Second
)

var errTooLarge = fmt.Errorf("the batch is larger than %d MiB: nothing was done", mostBytes>>20)

var errRests = errors.New("nothing came for too long before the verb \"end\": nothing was done")

// bounded gives up on an input that rests longer than a time or brings more than so many bytes.
type bounded struct {
	in   io.Reader
	rest time.Duration
	left int
}

type taken struct {
	count int
	err   error
}

// Read waits for each read anew; after errRests the process must end, as the read that rests goes on.
func (b *bounded) Read(buffer []byte) (int, error) {
	if b.left <= 0 {
		return 0, errTooLarge
	}
	buffer = buffer[:min(len(buffer), b.left)]
	done := make(chan taken, 1)
	go func() {
		count, err := b.in.Read(buffer)
		done <- taken{count, err}
	}()
	timer := time.NewTimer(b.rest)
	defer timer.Stop()
	select {
	case read := <-done:
		b.left -= read.count
		return read.count, read.err
	case <-timer.C:
		return 0, errRests
	}
}
