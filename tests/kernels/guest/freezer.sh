#!/bin/sh
# Sandboxes that are paused by the freezer of their cgroup, or, without one, by signals.
. /guest/steps.sh

tick='while :; do echo tick; usleep 10000; done'
groups='/sys/fs/cgroup/heel/heel-*'
frozen="grep -h frozen $groups/cgroup.events"
# As others see a process: T where a signal has stopped it.
state='ps -o stat,args | grep "[s]leep 472" | cut -c1'

call() {
    local verb=$1
    shift
    heelcli $verb --server "$heeld_socket" "$@"
}

# How much the process has written. written SANDBOX PROCESS
written() {
    call logs $1 $2 | wc -c
}

# Whether it stands still: it has written as much at many looks.
still() {
    local before now=$(written $*) looks=0
    while [ $looks -lt 5 ]; do
        before=$now
        now=$(written $*)
        [ "$now" = "$before" ] || return 1
        looks=$((looks + 1))
    done
}

# Whether it goes on, within a bound.
moves() {
    local before=$(written $*) tries=0
    while [ "$(written $*)" = "$before" ]; do
        tries=$((tries + 1))
        [ $tries -lt 200 ] || return 1
    done
}

pauses() {
    start_heeld
    step create call create --id box --max-processes 400
    step ticking call start --id ticking box sh -c "$tick"
    step sleeper call start --id sleeper box sleep 4721
    step up moves box ticking
    step pause call pause --output json box
    step frozen sh -c "$frozen"
    step state sh -c "$state"
    step still still box ticking
    step exec-paused call exec box true
    step continued call kill --signal CONT --scope tree box ticking
    step still-frozen sh -c "$frozen"
    step still-continued still box ticking
    step resume call resume --output json box
    step moves moves box ticking
    step pause-again call pause box
    step kill call kill --signal KILL --scope tree box ticking
    step killed call wait box ticking
    step frozen-killed sh -c "$frozen"
    step delete call delete box
    step left sh -c 'ps -o args | grep "[s]leep 472"'
    step groups sh -c "ls -d $groups"
    # One without a cgroup.
    step plain call create --id plain
    step sleeper-plain call start --id sleeper plain sleep 4722
    step pause-plain call pause --output json plain
    step state-plain sh -c "$state"
    step delete-plain call delete plain
    # What is frozen when heeld is killed dies with it.
    step create-last call create --id box --max-processes 400
    step last call start --id last box sleep 4723
    step pause-last call pause box
    kill -KILL "$heeld_pid"
    wait "$heeld_pid" 2>/dev/null
    step gone await_gone
}

await_gone() {
    local tries=0
    while ps -o args | grep -q "[s]leep 472" && [ $tries -lt 100 ]; do
        usleep 50000
        tries=$((tries + 1))
    done
    ps -o args | grep "[s]leep 472"
}

export HOME=/root
pauses
