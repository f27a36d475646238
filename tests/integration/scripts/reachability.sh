#!/usr/bin/env bash
# Run in a network and mount namespace of its own: who reaches whom on the private engine's networks.
#   reachability.sh PRIVATE_NETWORK_PY    prints one line for each pair: FROM TO reaches|blocked
set -euo pipefail
mount -t tmpfs none /run
mount -t sysfs none /sys
sysctl -qw net.ipv4.ip_forward=1
ip link set lo up
subnet=$(python3 "$1" up gate-test "")
iptables -P FORWARD DROP # as an engine that manages the firewall leaves it
IFS=./ read -r first second third _ <<<"$subnet"
user=$first.$second.$((third + 8))

namespace() { # name bridge address gateway
    ip netns add "$1"
    ip link add "v$1" type veth peer name e0 netns "$1"
    ip link set "v$1" master "$2" up
    ip -n "$1" addr add "$3" dev e0
    ip -n "$1" link set e0 up
    ip -n "$1" route add default via "$4"
}
for bridge in "one $user.1" "two $user.65"; do
    read -r name address <<<"$bridge"
    ip link add "$name" type bridge
    ip addr add "$address/26" dev "$name"
    ip link set "$name" up
done
namespace a1 one "$user.2/26" "$user.1"
namespace a2 one "$user.3/26" "$user.1"
namespace b1 two "$user.66/26" "$user.65"
namespace d1 gate-test "$first.$second.$third.2/24" "$first.$second.$third.1"
ip link add outside type bridge
ip addr add 192.0.2.1/24 dev outside
ip link set outside up
namespace out outside 192.0.2.2/24 192.0.2.1
ip -n out route del default # it answers only what comes from its own network: masqueraded, that is

try() { # from to address: a refused connection is an answer
    printf '%s %s ' "$1" "$2"
    ip netns exec "$1" python3 -c '
import socket, sys
try:
    socket.create_connection((sys.argv[1], 7777), 1)
except ConnectionRefusedError:
    print("reaches")
except OSError:
    print("blocked")' "$3"
}
sleep 0.5
try a1 a2 "$user.3"
try a1 b1 "$user.66"
try b1 a1 "$user.2"
try a1 d1 "$first.$second.$third.2"
try d1 a1 "$user.2"
try d1 out 192.0.2.2
try a1 out 192.0.2.2
python3 "$1" down "$subnet"
iptables -S FORWARD | tail -n +2
