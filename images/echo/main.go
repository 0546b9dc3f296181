// Command echo answers every HTTP request with what it saw of it, for tests that follow traffic through a cluster.
package main

import (
	"fmt"
	"log"
	"net/http"
	"os"
	"os/signal"
	"syscall"
)

func answer(w http.ResponseWriter, r *http.Request) {
	host, err := os.Hostname()
	if err != nil {
		host = err.Error()
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	fmt.Fprintf(w, "hostname: %s\nremote: %s\nrequest: %s %s %s\nHost: %s\n", host, r.RemoteAddr, r.Method, r.RequestURI, r.Proto, r.Host)
	_ = r.Header.Write(w) // the client has gone: nothing is left to tell it
}

func logged(w http.ResponseWriter, r *http.Request) {
	log.Printf("%s %s %s", r.RemoteAddr, r.Method, r.RequestURI)
	answer(w, r)
}

func endOnSignal() {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT) // process 1 has no default action for them
	<-signals
	os.Exit(0)
}

func main() {
	go endOnSignal()
	if port := os.Getenv("PORT"); port != "" && port != "80" {
		go func() { log.Fatal(http.ListenAndServe(":"+port, http.HandlerFunc(logged))) }()
	}
	log.Print("listening on :80")
	log.Fatal(http.ListenAndServe(":80", http.HandlerFunc(logged)))
}
