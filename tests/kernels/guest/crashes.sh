# What happens when something crashes. Sourced by the scripts that confined_test.py writes, after
# steps.sh.

# crashes SERVER: /guest/core, which core_pattern names, writes the name of what crashed to /run/cores.
# The last crash is outside: when that is there, the others would be.
crashes() {
    local crash='echo "$0" >/proc/self/comm; kill -SEGV $$' tries=0
    step crash heelcli run --server "$1" -- sh -c "$crash" inside
    step crash-default heelcli run --server "$1" --level default -- sh -c "$crash" inside
    step crash-permissive heelcli run --server "$1" --level permissive -- sh -c "$crash" inside
    step crash-outside sh -c "ulimit -c unlimited; $crash" "outside-$identity"
    while ! grep -q "outside-$identity" /run/cores && [ $tries -lt 200 ]; do
        usleep 50000
        tries=$((tries + 1))
    done
    step cores cat /run/cores
}
