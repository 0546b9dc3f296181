module rkx/images/echo

go 1.24.0
