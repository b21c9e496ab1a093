"""The AWS CLI for the tests: its imports, which are most of what a command costs, are done once.

Started in an empty folder, it makes there the program `aws`, for a PATH, beside all else that is with Python, and forks for each
call of it. The fork has the caller's arguments, environment, folder and streams, runs the CLI's own main, and ends when its caller
does. `ask` beside it answers questions in the words of AWS's API (src/aws.rs).
"""

import array
import json
import marshal
import os
import signal
import socket
import sys
import threading

import awscli.clidriver
import awscli.botocore.session

SOCKET = os.path.abspath("socket")
# Set by the import of awscli.
DATA = os.environ["AWS_DATA_PATH"]

# Without what `import socket` brings: that would be half of its time.
CALLER = f"""#!{sys.executable} -IS
import _socket, array, marshal, os, sys
server = _socket.socket(_socket.AF_UNIX, _socket.SOCK_SEQPACKET)
server.connect({SOCKET!r})
call = marshal.dumps((os.path.basename(sys.argv[0]), sys.argv[1:], os.getcwd(), dict(os.environ)))
server.sendmsg([call], [(_socket.SOL_SOCKET, _socket.SCM_RIGHTS, array.array("i", [0, 1, 2]))])
status = server.recv(1)
sys.exit(status[0] if status else "the program that runs the AWS CLI has ended")
"""


def ask():
    session = awscli.botocore.session.get_session()
    clients, answers = {}, []
    for service, operation, parameters in json.load(sys.stdin):
        if service not in clients:
            clients[service] = session.create_client(service)
        answer = clients[service]._make_api_call(operation, parameters)
        answers.append({name: value for name, value in answer.items() if name != "ResponseMetadata"})
    json.dump(answers, sys.stdout, default=str)


def run(program, arguments):
    """Its exit status, as Python's own end makes it."""
    sys.argv[:] = [program, *arguments]
    try:
        status = ask() if program == "ask" else awscli.clidriver.main()
    except SystemExit as end:
        status = end.code
    except BaseException:
        sys.excepthook(*sys.exc_info())
        status = 1
    sys.stdout.flush()
    sys.stderr.flush()
    return status or 0


def serve(caller):
    call, streams, _, _ = caller.recvmsg(1 << 20, socket.CMSG_SPACE(3 * array.array("i").itemsize))
    streams = array.array("i", streams[0][2])
    for wanted, stream in enumerate(streams):
        os.dup2(stream, wanted)
        os.close(stream)
    program, arguments, folder, environment = marshal.loads(call)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment, AWS_DATA_PATH=DATA)

    def end_with_caller():
        caller.recv(1)
        os._exit(1)

    threading.Thread(target=end_with_caller, daemon=True).start()
    caller.send(bytes([run(program, arguments)]))


def main():
    # What is imported only when a command runs: this one finds nobody.
    os.environ.update(AWS_ACCESS_KEY_ID="nobody", AWS_SECRET_ACCESS_KEY="none", AWS_DEFAULT_REGION="us-east-1", AWS_MAX_ATTEMPTS="1")
    run("aws", ["--endpoint-url", "http://127.0.0.1:1", "s3api", "list-buckets"])
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    listener.bind(SOCKET)
    listener.listen(64)
    os.symlink("aws", "ask")
    for beside in os.scandir(os.path.dirname(sys.executable)):
        if beside.name != "aws":
            os.symlink(beside.path, beside.name)
    with open(os.open("new", os.O_CREAT | os.O_WRONLY, 0o755), "w") as file:
        file.write(CALLER)
    os.rename("new", "aws")
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    while True:
        caller, _ = listener.accept()
        if os.fork() == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            listener.close()
            try:
                serve(caller)
            finally:
                os._exit(0)
        caller.close()


if __name__ == "__main__":
    main()
