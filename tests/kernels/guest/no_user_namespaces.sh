#!/bin/sh
# A host that gives nobody a user namespace.
. /guest/steps.sh

echo 0 >/proc/sys/user/max_user_namespaces
export HOME=/root
attack="cat /srv/stage/homes/root/secret /srv/stage/homes/tester/secret"
step doctor heelcli doctor
step run heelcli run -- sh -c "$attack"
step user-doctor as_user heelcli doctor
step user-run as_user heelcli run -- sh -c "$attack"
