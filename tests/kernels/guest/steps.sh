# What the scripts of a guest are made of. Sourced by each.

# step NAME COMMAND…: for the host, which reads ">> NAME", what it said, "<< NAME STATUS FROM TO", both
# times in seconds since the guest was booted.
step() {
    local name=$1 status from to
    shift
    read -r from _ </proc/uptime
    echo ">> $name"
    "$@" </dev/null 2>&1
    status=$?
    read -r to _ </proc/uptime
    echo
    echo "<< $name $status $from $to"
}

# as_user COMMAND…: as the guest's ordinary user, at home.
as_user() {
    su -s /bin/sh tester -c 'cd && export HOME && exec "$@"' sh "$@"
}

# start_heeld [FLAG…]: returns when it takes connections at $heeld_socket.
start_heeld() {
    local folder
    folder=$(mktemp -d /run/heeld.XXXXXX)
    chmod 0711 "$folder" # each sandbox of root's has a uid of its own
    start_heeld_in "$folder" "$@"
}

# start_heeld_in FOLDER [FLAG…]: the same, with all that it has in that folder.
start_heeld_in() {
    local folder=$1
    shift
    heeld_log=$folder/log
    heeld_socket=unix:$folder/socket
    mkfifo "$folder/ready"
    heeld --listen "$heeld_socket" --state-dir "$folder/state" --ready-fd 3 "$@" 3<>"$folder/ready" >"$heeld_log" 2>&1 &
    heeld_pid=$!
    read -r _ <"$folder/ready"
    rm "$folder/ready"
}

stop_heeld() {
    kill "$heeld_pid"
    step heeld-ended wait "$heeld_pid"
}
