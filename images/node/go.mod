module rkx.dev/node

go 1.26
