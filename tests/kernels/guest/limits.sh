#!/bin/sh
# Limits that the kernel holds, in cgroups: at the root of the tree, and in a subtree of an ordinary
# user's own.
. /guest/steps.sh

grow='BEGIN { text = "0123456789abcdef"; while (1) text = text text }'
fill='cat /dev/zero >/tmp/file'
spin='while :; do :; done'
bomb='i=0; while [ $i -lt 900 ]; do sleep 9 & i=$((i + 1)); done; wait'

limits() {
    step $1-doctor $2 heelcli doctor
    step $1-one $2 heelcli run --output json --max-memory 16M -- awk "$grow"
    step $1-child $2 heelcli run --output json --max-memory 16M -- sh -c "awk '$grow'; sleep 9"
    step $1-tmp $2 heelcli run --output json --max-memory 16M -- sh -c "$fill"
    step $1-cpu $2 heelcli run --output json --max-cpu-time 500ms -- sh -c "$spin"
    step $1-processes $2 heelcli run --output json --max-processes 9 -- sh -c "$bomb"
    step $1-enough $2 heelcli run --max-memory 16M --max-processes 9 --cpus 0.5 -- echo "it ran"
}

export HOME=/root
limits root ""

# As systemd does for a scope or a service with Delegate=yes, a new one each time.
cat >/run/in_group <<'END'
#!/bin/sh
group=/sys/fs/cgroup/delegated-$$
mkdir $group
chown tester $group $group/cgroup.procs $group/cgroup.subtree_control
echo $$ >$group/cgroup.procs
for argument; do
    printf "'%s' " "$(printf %s "$argument" | sed "s/'/'\\\\''/g")"
done >/run/command
exec su -s /bin/sh tester -c 'cd && export HOME && eval "exec $(cat /run/command)"'
END
chmod +x /run/in_group
limits user /run/in_group

start_heeld
step create heelcli create --server "$heeld_socket" --id box --max-memory 16M --cpus 0.5
step report heelcli get --server "$heeld_socket" --output json box
step groups sh -c 'cat /sys/fs/cgroup/heel/*/memory.max /sys/fs/cgroup/heel/*/cpu.max'
step full heelcli exec --server "$heeld_socket" --output json box sh -c "$fill"
step free heelcli exec --server "$heeld_socket" box rm /tmp/file
step full-again heelcli exec --server "$heeld_socket" --output json box sh -c "$fill"
step killed heelcli exec --server "$heeld_socket" --output json box sh -c 'kill -9 $$'
step delete heelcli delete --server "$heeld_socket" box
stop_heeld
step groups-left sh -c 'find /sys/fs/cgroup/heel -mindepth 1 -type d'
