# A sandbox from its creation to its end, and the end of a heeld that is killed. Sourced by the
# scripts that confined_test.py writes, after steps.sh.

# lifecycle FOLDER: a place for heeld.
lifecycle() {
    local server=unix:$1/socket
    mkdir -m 711 "$1"
    start_heeld_in "$1"
    step create heelcli create --server "$server" --output json --id first
    step exec-write heelcli exec --server "$server" first -- sh -c 'echo kept > file; exit 7'
    step exec-read heelcli exec --server "$server" first -- cat file
    step exec-identity heelcli exec --server "$server" first -- sh -c 'grep -E "^(NoNewPrivs|Seccomp|CapEff|CapBnd):" /proc/self/status; ls /proc | grep -c "^[0-9]"'
    step exec-signal heelcli exec --server "$server" first -- sh -c 'kill -TERM $$'
    step exec-missing heelcli exec --server "$server" first -- no-such-program
    step get heelcli get --server "$server" --output json first
    step timeout heelcli run --server "$server" --timeout 300ms -- sleep 60
    step background heelcli exec --server "$server" first -- sh -c 'setsid sleep 4711 >/dev/null 2>&1 & echo started'
    step sleeper-there matching '[s]leep 4711'
    step delete heelcli delete --server "$server" first
    step sleeper-gone matching '[s]leep 4711'
    step get-deleted heelcli get --server "$server" --output json first

    step create-second heelcli create --server "$server" --id second
    step background-second heelcli exec --server "$server" second -- sh -c 'setsid sleep 4712 >/dev/null 2>&1 & echo started'
    step second-there matching '[s]leep 4712'
    kill -KILL "$heeld_pid"
    wait "$heeld_pid" 2>/dev/null
    step processes-gone await_none
    step mounts-gone grep -F "$1" /proc/mounts
}

# Processes outside of this identity's, in whose line the pattern is.
matching() {
    local whose=-v
    [ "$(id -u)" = 0 ] || whose=
    ps -o user,comm,args | grep $whose '^tester' | grep -E "$1" | grep -vE '(ps|grep) -'
}

# Bounded, since it has to happen soon.
await_none() {
    local tries=0
    while matching '^[^ ]+ +heel|[s]leep 471' >/dev/null && [ $tries -lt 100 ]; do
        usleep 50000
        tries=$((tries + 1))
    done
    matching '^[^ ]+ +heel|[s]leep 471'
}
