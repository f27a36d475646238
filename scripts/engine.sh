#!/usr/bin/env bash
# The container engine: find the one that answers, or run a private one for this checkout.
#
#   engine.sh find    print the address of an engine that answers, exit 1 when none does
#   engine.sh start   the same, but start the private engine when none answers;
#                     the last line of stdout is `export DOCKER_HOST=...`
#   engine.sh stop    stop the private engine and remove its network; images stay in .engine/data
#
# Everything private lies in .engine/ (delete it to drop the images too). Unix socket paths end at 107
# bytes, so in a deep checkout the sockets move to /run/harness-ID, and .engine/run is a link to it.
# Its containers reach out from the default bridge only (private_network.py says why).
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
home=$root/.engine
id=$(printf %s "$root" | sha256sum | cut -c1-8)
bridge=gate-$id # an interface name ends at 15 characters
python=${PYTHON:-python3}
run=$home/run
((${#run} <= 60)) || run=/run/harness-$id
socket=$run/docker.sock
log=$home/log
ready_timeout_s=60
stop_timeout_s=30

say() { printf 'engine: %s\n' "$*" >&2; }
die() { say "$*"; exit 1; }

find_engine() { "$python" "$root/scripts/find_engine.py"; }

private_answers() { env -u DOCKER_CONTEXT DOCKER_HOST="unix://$socket" "$python" "$root/scripts/find_engine.py" 2>/dev/null | grep -qxF "unix://$socket"; }

# The pid in file $1, if that process was started by this script with its own file $2 as an argument.
our_pid() {
    local pid
    pid=$(cat "$1" 2>/dev/null) && [[ -n $pid ]] || return 1
    tr '\0' '\n' 2>/dev/null <"/proc/$pid/cmdline" | grep -qxF -e "$2" || return 1
    printf %s "$pid"
}
dockerd_pid() { our_pid "$run/docker.pid" "--pidfile=$run/docker.pid"; }
containerd_pid() { our_pid "$run/containerd.pid" "--config=$run/containerd.toml"; }

terminate() { # pid: TERM, then KILL
    kill -TERM "$1" 2>/dev/null || return 0
    local tenths
    for ((tenths = stop_timeout_s * 10; tenths > 0; tenths--)); do
        kill -0 "$1" 2>/dev/null || return 0
        sleep 0.1
    done
    kill -KILL "$1" 2>/dev/null || true
}

# What a dockerd or containerd that was killed leaves behind: shims, containers, mounts, network.
# Pids written before a reboot belong to somebody else by now.
sweep() {
    local pid file target
    if [[ $(cat "$run/boot_id" 2>/dev/null) == "$(cat /proc/sys/kernel/random/boot_id)" ]]; then
        for file in /proc/[0-9]*/cmdline; do
            pid=${file#/proc/} && pid=${pid%/cmdline}
            if tr '\0' '\n' 2>/dev/null <"$file" | grep -qxF -e "$run/containerd.sock"; then
                [[ $(readlink "/proc/$pid/exe") == *containerd-shim* ]] || continue
                # Killing the init process of a container ends the container.
                kill -KILL $(cat "/proc/$pid/task/$pid/children" 2>/dev/null) "$pid" 2>/dev/null || true
            fi
        done
    fi
    awk '{print $5}' /proc/self/mountinfo | sort -r | while read -r target; do
        target=$(printf %b "${target//\\/\\0}")
        [[ $target == "$home"/* || $target == "$run"/* ]] && umount -l "$target"
    done || true
    if [[ -s $home/subnet ]]; then
        "$python" "$root/scripts/private_network.py" down "$(cat "$home/subnet")"
    fi
    rm -rf "$run" "$home/docker_host"
}

stop_private() {
    local pid
    if pid=$(dockerd_pid); then
        say "stopping the private engine (pid $pid)"
        terminate "$pid"
    fi
    if pid=$(containerd_pid); then
        terminate "$pid"
    fi
    sweep
}

on_systemd() { [[ -d /run/systemd/system ]]; }

install_docker() {
    local missing='no container engine answers, and dockerd is not installed'
    [[ $(id -u) == 0 ]] || die "$missing; install Docker Engine (Debian, Ubuntu: apt-get install docker.io) and join its group"
    command -v apt-get >/dev/null || die "$missing; install Docker Engine with this system's package manager"
    say 'no container engine answers: installing the package docker.io system-wide (apt-get) to run a private one.'
    say 'No system service is started or enabled.'
    local policy=/usr/sbin/policy-rc.d
    if [[ ! -e $policy ]]; then
        # invoke-rc.d asks this file whether a package may start its service; 101 is no.
        trap 'rm -f /usr/sbin/policy-rc.d' EXIT
        printf '#!/bin/sh\nexit 101\n' >"$policy" && chmod 755 "$policy"
    fi
    local apt=(env DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=120)
    {
        "${apt[@]}" install -y --no-install-recommends docker.io ||
            { "${apt[@]}" update && "${apt[@]}" install -y --no-install-recommends docker.io; }
    } </dev/null >"$home/install.log" 2>&1 9>&- || {
        tail -n 20 "$home/install.log" >&2
        die 'docker.io could not be installed (above); install Docker Engine by hand'
    }
    if on_systemd; then
        systemctl --quiet disable docker.service docker.socket containerd.service 2>/dev/null || true
    fi
}

write_configuration() {
    mkdir -p "$run" "$home/data" "$home/containerd"
    [[ $run == "$home/run" ]] || ln -sfn "$run" "$home/run"
    cp /proc/sys/kernel/random/boot_id "$run/boot_id"
    # Its own containerd: dockerd would otherwise share the system's where that runs.
    cat >"$run/containerd.toml" <<TOML
version = 2
root = "$home/containerd"
state = "$run/containerd"
disabled_plugins = ["io.containerd.grpc.v1.cri", "io.containerd.cri.v1.images", "io.containerd.cri.v1.runtime"]
[grpc]
address = "$run/containerd.sock"
TOML
    # An own file, so that the system's /etc/docker/daemon.json does not apply.
    echo '{}' >"$run/daemon.json"
}

launch() { # command...: in the background, with nothing of ours held open
    setsid "$@" </dev/null >>"$log" 2>&1 3>&- 4>&- 9>&- &
}

start_private() {
    local pool_base subnet pid tenths
    stop_private
    # Where dockerd finds its default network of a former run, and default address pools are set, it
    # deletes the interface docker0, which may be another engine's.
    rm -rf "$home/data/network"
    write_configuration
    subnet=$("$python" "$root/scripts/private_network.py" up "$bridge" "$(cat "$home/subnet" 2>/dev/null || true)")
    printf %s "$subnet" >"$home/subnet"
    # The bridge has the first /24 of the subnet; user-defined networks get the upper half.
    pool_base=$("$python" -c 'import ipaddress, sys
print(list(ipaddress.ip_network(sys.argv[1]).subnets(1))[1])' "$subnet")

    : >"$log"
    launch containerd "--config=$run/containerd.toml"
    echo $! >"$run/containerd.pid"
    for ((tenths = 100; tenths > 0; tenths--)); do
        [[ -S $run/containerd.sock ]] && break
        sleep 0.1
    done
    launch dockerd --data-root="$home/data" --exec-root="$run/exec" --pidfile="$run/docker.pid" \
        --config-file="$run/daemon.json" --containerd="$run/containerd.sock" --host="unix://$socket" \
        --bridge="$bridge" --default-address-pool="base=$pool_base,size=26" \
        --iptables=false --ip6tables=false --ip-masq=false
    pid=$!
    for ((tenths = ready_timeout_s * 10; tenths > 0; tenths--)); do
        if private_answers; then
            printf 'unix://%s\n' "$socket" >"$home/docker_host"
            return
        fi
        kill -0 "$pid" 2>/dev/null || break
        sleep 0.1
    done
    say "dockerd did not get ready; the end of its log ($log):"
    grep -v level=info "$log" | tail -n 25 >&2
    stop_private
    die 'the private engine could not be started here; install and start Docker Engine, then set DOCKER_HOST'
}

start() {
    local host
    if host=$(find_engine); then
        say "using the engine at $host"
    else
        [[ -z ${DOCKER_HOST:-} ]] || die "DOCKER_HOST is set to $DOCKER_HOST: start that engine, or unset it"
        [[ $(uname -s) == Linux ]] || die 'no container engine answers; start Docker Desktop or set DOCKER_HOST'
        mkdir -p "$home"
        exec 9>"$home/lock"
        flock 9
        if ! host=$(find_engine 2>/dev/null); then
            command -v dockerd >/dev/null || install_docker
            [[ $(id -u) == 0 ]] || die 'no container engine answers; start Docker (systemctl start docker) and join its group, or run this as root'
            say "starting the private engine in $home"
            trap 'stop_private; exit 130' INT TERM
            start_private
            trap - INT TERM
            host=$(cat "$home/docker_host")
            say "the private engine answers at $host; stop it with: make engine-stop"
        fi
    fi
    printf 'export DOCKER_HOST=%s\n' "$host"
}

stop() {
    [[ -d $home ]] || return 0
    exec 9>"$home/lock"
    flock 9
    stop_private
    rm -f "$home/run"
    say 'the private engine is stopped'
}

case ${1:-} in
    find) find_engine ;;
    start) start ;;
    stop) stop ;;
    *) sed -n '2,11s/^# \{0,1\}//p' "$0"; exit 2 ;;
esac
