#!/bin/sh
# paramiko 5.1.0 with OpenSSH's server (seen with 9.2p1 of Debian 12).
# A channel's message is made under the channel's lock, but sent after the lock was given back. So where one thread ends
# the sending half of a channel (shutdown_write) while another closes it (close), which both threads may do, the end can
# leave after the close. The server then ends the whole connection with all of its other channels: "ieof packet referred
# to nonexistent channel". The client hears of it only as "SSH session not active", or as "Unable to open channel".
# The script holds back the first thread where a scheduler may, and fails if the connection outlives that.
set -eu
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
time.sleep(0.5)  # the server has heard of the close
closed.set()
ending.join()
time.sleep(0.5)
print("the connection is", "active" if connection.is_active() else "ended")
sys.exit(connection.is_active())
EOF
"$folder/venv/bin/python" "$folder/seen.py" "$folder"
grep -o "packet referred to nonexistent channel" "$folder/log"
