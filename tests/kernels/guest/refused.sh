#!/bin/sh
# What heel says where it can't hold sandboxes, to root and to an ordinary user.
. /guest/steps.sh

export HOME=/root
step kernel uname -r
step doctor heelcli doctor
step doctor-json heelcli doctor --output json
step run heelcli run -- /bin/echo "it ran"
start_heeld
step create heelcli create --server "$heeld_socket" --output json
step run-there heelcli run --server "$heeld_socket" --output json -- /bin/echo "it ran"
step list heelcli list --server "$heeld_socket" --output json
stop_heeld

step user-doctor as_user heelcli doctor
step user-run as_user heelcli run -- /bin/echo "it ran"
