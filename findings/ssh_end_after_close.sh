#!/bin/sh
# paramiko 5.1.0 with OpenSSH's server (seen with 9.2p1 of Debian 12).
# A channel's message is made under the channel's lock, but sent after the lock was given back. So where one thread ends
# the sending half of a channel (shutdown_write) while another closes it (close), which both threads may do, the end can
# leave after the close. The server then ends the whole connection with all of its other channels: "ieof packet referred
# to nonexistent channel". The client hears of it only as "SSH session not active", or as "Unable to open channel".
# The script holds back the first thread where a scheduler may; it prints what it sees, and fails if that is not EXPECTED.
set -eu
EXPECTED='paramiko 5.1.0: the connection is ended
sshd: packet referred to nonexistent channel'
folder=$(mktemp -d)
trap 'kill "$(cat "$folder/pid" 2>/dev/null)" 2>/dev/null || true; rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check paramiko==5.1.0
ssh-keygen -q -t ed25519 -N "" -f "$folder/host"
ssh-keygen -q -t ed25519 -N "" -f "$folder/user"
[ "$(id -u)" != 0 ] || mkdir -p /run/sshd
cat >"$folder/sshd_config" <<EOF
ListenAddress 127.0.0.1
Port 42223
HostKey $folder/host
AuthorizedKeysFile $folder/user.pub
StrictModes no
UsePAM no
PidFile $folder/pid
EOF
"$(command -v sshd || echo /usr/sbin/sshd)" -f "$folder/sshd_config" -E "$folder/log"
cat >"$folder/seen.py" <<'EOF'
import sys, threading, time
import paramiko

folder = sys.argv[1]
client = paramiko.SSHClient()
client.set_missing_host_key_policy(paramiko.AutoAddPolicy())
for attempt in range(50):
    try:
        client.connect("127.0.0.1", 42223, key_filename=f"{folder}/user", allow_agent=False, look_for_keys=False)
        break
    except OSError:
        time.sleep(0.1)
connection = client.get_transport()
channel = connection.open_session()
channel.exec_command("cat")
other = connection.open_session()
other.exec_command("cat")

send, closed = connection._send_user_message, threading.Event()


def held(message):
    if threading.current_thread() is ending:
        closed.wait()
    send(message)


connection._send_user_message = held
ending = threading.Thread(target=channel.shutdown_write)
ending.start()
while not channel.eof_sent:
    time.sleep(0.01)
channel.close()
time.sleep(0.5)  # the server hears of the close first: it answers nothing that could be waited for
closed.set()
ending.join()
connection.join(5)  # the thread that reads, which ends with the connection
print(f"paramiko {paramiko.__version__}: the connection is {'active' if connection.is_active() else 'ended'}")
connection.close()
EOF
seen="$("$folder/venv/bin/python" "$folder/seen.py" "$folder")
sshd: $(grep -o "packet referred to nonexistent channel" "$folder/log" | head -n 1)"
printf '%s\n' "$seen"
if [ "$seen" != "$EXPECTED" ]; then
    printf 'this has changed; it was:\n%s\n' "$EXPECTED" >&2
    exit 1
fi
