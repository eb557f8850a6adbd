# What probes are aimed at in a guest: what tests/confinement/stage.py makes on this side. Sourced, after
# steps.sh, by the scripts that confined_test.py writes, as whoever the sandboxes are to be of.

# $acting: the files of a working directory that act outside later.

token="secret of the stage"

open_stage() {
    identity=$(id -un)
    base=/srv/stage
    stage=$base/$identity
    PROBES=$base/probes
    HIDDEN=$base/homes/$identity
    OUTSIDE=$stage/outside
    READABLE=$stage/readable
    MARK=ht-mark-$identity
    mkdir -m 755 "$stage" "$HIDDEN"
    mkdir -m 777 "$OUTSIDE" "$READABLE"
    echo "$token" >"$HIDDEN/secret"
    for folder in "$OUTSIDE" "$READABLE"; do
        for name in plain spare secret; do
            echo "$token" >"$folder/$name"
        done
        chmod 666 "$folder"/*
    done
    cp /bin/true "$OUTSIDE/program"
    cp /lib64/ld-linux-x86-64.so.2 "$OUTSIDE/linker"
    touch "/tmp/$MARK" "/var/tmp/$MARK" "/dev/shm/$MARK"
    make_cell "$stage/cell.new"
    open_victim
}

# make_cell PATH: a working directory.
make_cell() {
    mkdir -m 755 "$1"
    for path in allowed denied deep/denied; do
        mkdir -p "$1/$path"
        echo "$path/secret" >"$1/$path/secret"
    done
    mkdir "$1/fresh"
    # shellcheck disable=SC2086
    (mkdir "$1/acting" && cd "$1/acting" && for path in $acting; do
        mkdir -p "$(dirname "$path")" && touch "$path"
    done)
    yes old | head -n 2000 >"$1/suid"
    chmod 4755 "$1/suid"
}

# The process outside (victim.c): reads bytes from descriptor 7, and answers on 8. Another one, which
# nobody listens to, has a socket in the protected folder.
open_victim() {
    local line
    mkfifo "$stage/to" "$stage/from" "$stage/idle"
    "$PROBES/victim" "$HIDDEN" hidden <>"$stage/idle" >/dev/null &
    "$PROBES/victim" "$READABLE" "$MARK" <"$stage/to" >"$stage/from" &
    exec 7>"$stage/to" 8<"$stage/from"
    {
        while read -r line <&8 && [ "$line" != ready ]; do
            echo "$line"
        done
        cat <<END
PROBES=$PROBES
ALIAS_SECRET=$base/alias/$identity/secret
OTHER_PROC=$base/proc
PROC=/proc
HIDDEN=$HIDDEN
SECRET=$HIDDEN/secret
HIDDEN_SOCKET=$HIDDEN/stream
OUTSIDE=$OUTSIDE
OUTSIDE_SECRET=$OUTSIDE/secret
READABLE=$READABLE
MARK=$MARK
PTS=/dev/ttyS0
HOST_ADDRESS=192.0.2.1
HEEL_STATE=$stage/state
HEEL_SOCKET=$stage/socket
END
    } >"$stage/environment"
    . "$stage/environment"
}

# What reached the victim since the last time, as ways that are open.
witnessed() {
    local line
    printf x >&7
    while read -r line <&8 && [ "$line" != sync ]; do
        printf 'open\tseen outside: %s\tby the victim\n' "$line"
    done
}

# What nobody may change, as seen from outside.
outside() {
    find "$OUTSIDE" "$HIDDEN" -exec stat -c '%n %a %y %i' {} +
}

fresh_cell() {
    rm -rf "$stage/cell" && cp -a "$stage/cell.new" "$stage/cell"
}

# control PROBE [NAME=VALUE]…: nothing confines it. It has a folder open that a sandbox must not have.
control() {
    local probe=$1
    shift
    (
        cd "$stage/cell" || exit
        # shellcheck disable=SC2046
        env $(cat "$stage/environment") TARGET_PID="$VICTIM_PID" CONTROL=1 "$@" timeout 60 "$PROBES/$probe" </ 9</
    )
}

# confined LEVEL PROBE FLAGS [NAME=VALUE]…: in a sandbox made for it, with more flags of heelcli.
confined() {
    local level=$1 probe=$2 flags=$3 pair
    shift 3
    [ "$level" = permissive ] || flags="$flags --executable $PROBES --readable $READABLE"
    # shellcheck disable=SC2013
    for pair in $(cat "$stage/environment") TARGET_PID=1; do
        flags="$flags --env $pair"
    done
    for pair; do
        set -- "$@" --env "$pair"
        shift
    done
    # shellcheck disable=SC2086
    heelcli run --server "unix:$stage/socket" --level "$level" --working-dir "$stage/cell" --timeout 60s \
        $flags "$@" -- "$PROBES/$probe"
}

try_control() {
    step "control $1" control_and_look "$@"
}

control_and_look() {
    shift
    fresh_cell
    control "$@"
    witnessed >/dev/null
}

# try_confined ID LEVEL PROBE FLAGS [NAME=VALUE]…
try_confined() {
    step "confined $1 $2" confined_and_look "$@"
}

confined_and_look() {
    local before
    shift
    fresh_cell
    before=$(outside)
    confined "$@" || return
    witnessed
    [ "$1" = permissive ] || [ "$(outside)" = "$before" ] || printf 'open\tseen outside: files\tchanged\n'
}
