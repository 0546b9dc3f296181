package main

// From Linux, include/uapi/asm-generic/unistd.h.
const numberSetns = 268
